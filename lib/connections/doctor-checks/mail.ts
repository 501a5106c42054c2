import { type Finding, failure, ok, type Visit, warning } from "#lib/connections/doctor-checks/finding.ts";
import { readAdministrators } from "#lib/notifications/administrators.ts";
import { tryMail } from "#lib/notifications/mail.ts";

/** Can administrators be told by e-mail? The mail server is asked, nothing is sent. */
export async function checkMail({ ctx, scope }: Visit): Promise<Finding[]> {
  const { mail } = ctx.config;
  if (!mail) {
    const action = "Set SMTP_URL and MAIL_FROM, and start again.";
    return [warning("mail", "Not configured: notices are shown on the screens and sent to nobody.", action)];
  }
  const people = await readAdministrators(ctx.db, scope.workspaceId);
  const { host } = new URL(mail.url);
  try {
    await tryMail(mail);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return [
      failure(
        "mail",
        `${host} does not take mail: ${said}`,
        "Check SMTP_URL; notices are tried again and shown meanwhile.",
      ),
    ];
  }
  if (people.length === 0)
    return [
      warning("mail", `${host} takes mail, but there is no administrator to write to.`, "Invite an administrator."),
    ];
  return [
    ok(
      "mail",
      `${host} takes mail from ${mail.from}; notices go to ${people.length} ${people.length === 1 ? "administrator" : "administrators"}.`,
    ),
  ];
}
