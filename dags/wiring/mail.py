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


def send_mail(subject: str, html: str) -> str:
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
        hook.send_email_smtp(to=recipient, subject=subject, html_content=html)
    return f"Told {recipient} by e-mail."
