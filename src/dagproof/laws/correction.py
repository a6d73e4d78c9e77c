"""When the data of a date change upstream, running it again leaves nothing of the old ones."""

from __future__ import annotations

from dagproof.histories import History, Step
from dagproof.laws.base import Finding, Law, NotApplicableError, active
from dagproof.runs.lab import Lab
from dagproof.worlds.failing import RunFailedError


class Correction(Law):
    """A rerun with corrected data leaves nothing of the old data.

    ## What it does
    Runs a date, changes its data upstream as the configuration says, and runs it again.

    The result is compared with a fresh world that only ever saw the corrected data. If a fresh run refuses the
    corrected data, the rerun must refuse them, too, and leave the rows as they were. The DAGs in `after` run before
    the correction, and not again: the correction changes what they delivered. If a table keeps old versions on
    purpose, list it in `history`: its current rows are compared.

    ## Why is this bad
    Upstream corrects its data, and rows vanish there. An upsert never deletes, a cache is never
    refreshed: the old rows stay, and no rerun will ever remove them.

    ## Example
    ```sql
    INSERT INTO users SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET name = EXCLUDED.name
    ```

    ## Use instead
    ```sql
    DELETE FROM users WHERE dt = %(ds)s;
    INSERT INTO users SELECT * FROM staging;  -- in the same transaction
    ```
    """

    name = "correction"
    order = 70
    relation = "upstream data of D changes, run D again: same S as a fresh world that only ever saw the corrected data"
    verdict = "keeps stale rows"
    accusation = "keeps stale rows"
    headline = "Rows of the old data remain after a rerun with corrected data"
    sides = ("with the corrected data only", "after the correction")
    promise = "a rerun with corrected data leaves nothing of the old data"

    def histories(self, lab: Lab) -> list[History]:
        """Each correction, on the first date."""
        if not lab.proof.corrections:
            raise NotApplicableError(
                f"no correction is configured; add one to [tool.dagproof.proofs.{lab.dag_id}.corrections]"
            )
        date = active(lab)[0]
        return [
            (Step("run", date), Step("correct", date, correction=name), Step("rerun", date))
            for name in lab.proof.corrections
        ]

    def check(self, lab: Lab, history: History) -> Finding:
        """Compare with a world that only ever saw the corrected data."""
        run, correct, _ = history
        try:
            lab.state((correct, run))
        except RunFailedError as refusal:
            return self._refused(lab, history, refusal)
        return self.compared_in_time(lab, (correct, run), history, at_last=True)

    def _refused(self, lab: Lab, history: History, refusal: RunFailedError) -> Finding:
        """Check that data which a first run refuses are refused by a rerun, too, with the rows left alone."""
        try:
            lab.state(history)
        except RunFailedError as failure:
            if failure.left is None:
                raise
            noise = self.noise(lab, history)
            before = self.seen(lab, lab.state(history[:-1])).without(noise)
            after = self.seen(lab, failure.left).without(noise)
            return Finding(
                lab.diff(before, after),
                not_compared=noise,
                verdict="changes rows that it refuses",
                accusation="changes rows although it refuses the corrected data",
                headline=f"The run refuses the corrected data, but its rows changed: {failure}",
                sides=("before", "after"),
            )
        return Finding(broken=True, headline=f"The rerun takes data that a first run refuses: {refusal}")
