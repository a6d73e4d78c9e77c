"""E-mails through the connection `smtp_default`, to whom the Airflow variable `alert_email` names."""

from __future__ import annotations

import html
from datetime import timedelta
from typing import Any

# Airflow 3.1 has them nowhere else, and later ones have them here, too.
from airflow.sdk.definitions.deadline import (  # type: ignore[attr-defined]  # which 3.3 does not say of one
    AsyncCallback,
    DeadlineAlert,
    DeadlineReference,
)

from etl.settings import deadline_alerts


def done_within(hours: float) -> DeadlineAlert | None:
    """Have an e-mail sent about a run that is not done so long after it was queued; for a DAG's `deadline`.

    Not so long after its date: a backfill would send one for each. There is a deadline where `DEADLINE_ALERTS` is on:
    `dag.test()` of Airflow 3.3 fails with one, and not everybody's triggerer can import this module.
    """
    if not deadline_alerts():
        return None
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=AsyncCallback(mail_missed_deadline),
    )


async def mail_missed_deadline(context: Any) -> str:
    """Tell by e-mail which run is not done in time; the triggerer awaits this, and must be able to import it."""
    from asgiref.sync import sync_to_async

    run = context["dag_run"]
    subject = f"{run['dag_id']}: {run['dag_run_id']} is not done in time"
    told = f"It is {run['state']}, and was to be done by {context['deadline']['deadline_time']}."
    return await sync_to_async(send_mail)(subject, f"<p>{html.escape(told)}</p>")


def mail_failure(context: Any) -> None:
    """Tell by e-mail which task failed, and why; for `on_failure_callback`."""
    # A new notifier each time: it keeps what it has filled into its templates.
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    SmtpNotifier(
        smtp_conn_id="smtp_default",
        to="{{ var.value.alert_email }}",
        subject="{{ dag.dag_id }}: {{ ti.task_id }} failed for {{ dag_run.run_id }}",
        html_content="<p>{{ exception | default('Its log says why.') | e }}</p>"
        "<p>Attempt {{ ti.try_number }} of run {{ dag_run.run_id | e }}.</p>",
    )(context)


def send_mail(subject: str, text: str) -> str:
    """Send an e-mail to whom `alert_email` names, if anybody; return a sentence that says what became of it.

    Raises:
        AirflowException: nobody answers, or the server refuses it.
    """
    from airflow.providers.smtp.hooks.smtp import SmtpHook
    from airflow.sdk import Variable

    recipient = Variable.get("alert_email", default="")
    if not recipient:
        return "No e-mail was sent: the Airflow variable alert_email is not set."
    with SmtpHook(smtp_conn_id="smtp_default") as hook:
        hook.send_email_smtp(to=recipient, subject=subject, html_content=text)
    return f"Told {recipient} by e-mail."
