import { createTransport } from "nodemailer";
import type SMTPTransport from "nodemailer/lib/smtp-transport";
import type { Config } from "#lib/config.ts";
import type { Letter } from "#lib/notifications/letter.ts";

type MailConfig = NonNullable<Config["mail"]>;
type Server = ReturnType<typeof createTransport<SMTPTransport.SentMessageInfo>>;

/** All in milliseconds. A mail server that hangs holds up nothing but its letter. */
const deadlines = { connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 };

/** Asks the mail server to let us in; sends nothing. Throws what it says. */
export async function tryMail(mail: MailConfig): Promise<void> {
  await withServer(mail, (server) => server.verify());
}

/** Sends a letter to several people at once. Gives the addresses that were refused while others were taken; throws when none was. */
export async function sendLetter(mail: MailConfig, to: string[], letter: Letter): Promise<string[]> {
  const sent = await withServer(mail, (server) =>
    server.sendMail({
      from: { name: "Bellwether", address: mail.from },
      to: to.map((address) => ({ name: "", address })),
      ...letter,
      headers: { "Auto-Submitted": "auto-generated" },
    }),
  );
  return sent.rejected;
}

async function withServer<T>(mail: MailConfig, work: (server: Server) => Promise<T>): Promise<T> {
  const { protocol, hostname, port, username, password } = new URL(mail.url);
  const secure = protocol === "smtps:";
  const server = createTransport({
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port ? Number(port) : secure ? 465 : 587,
    secure,
    ...(username ? { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } } : {}),
    ...deadlines,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    return await work(server);
  } finally {
    server.close();
  }
}
