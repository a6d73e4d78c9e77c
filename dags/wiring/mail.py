"""E-mails through the connection `smtp_default`, to whom the Airflow variable `alert_email` names."""

from __future__ import annotations

from typing import Any


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
