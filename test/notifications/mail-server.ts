import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

export interface Received {
  from: string;
  to: string[];
  raw: string;
  subject: string;
  text: string;
}

/** A mail server on this machine that keeps what it is given. */
export interface MailServer {
  url: string;
  received: Received[];
  /** While true, it takes nothing. */
  refuses: boolean;
  /** Addresses that it does not know. */
  unknown: Set<string>;
  close(): Promise<void>;
}

export async function startMailServer(login = { user: "robot", pass: "mail-pass%word" }): Promise<MailServer> {
  const received: Received[] = [];
  const unknown = new Set<string>();
  const state = { refuses: false };
  const server = new SMTPServer({
    logger: false,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: ({ username, password }, _session, done) =>
      username === login.user && password === login.pass
        ? done(null, { user: username })
        : done(new Error("wrong login")),
    onRcptTo: ({ address }, _session, done) => done(unknown.has(address) ? new Error("no such person") : null),
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (state.refuses) return done(new Error(`come back later, ${login.user} with ${login.pass}`));
        const raw = Buffer.concat(chunks).toString("utf8");
        const { mailFrom, rcptTo } = session.envelope;
        const to = rcptTo.map(({ address }) => address);
        received.push({ from: mailFrom ? mailFrom.address : "", to, raw, ...partsOf(raw) });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://${login.user}:${encodeURIComponent(login.pass)}@127.0.0.1:${port}`,
    received,
    unknown,
    get refuses() {
      return state.refuses;
    },
    set refuses(refuses) {
      state.refuses = refuses;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function partsOf(raw: string): { subject: string; text: string } {
  const [head = "", ...body] = raw.split("\r\n\r\n");
  const unfolded = head.replace(/\r\n[ \t]+/g, " ");
  const header = /^Subject: (.*)$/m.exec(unfolded)?.[1] ?? "";
  const subject = header.replace(/=\?UTF-8\?Q\?(.*?)\?=\s*/gi, (_, coded: string) =>
    unquoted(coded.replaceAll("_", " ")),
  );
  const isQuoted = /^content-transfer-encoding: quoted-printable$/im.test(unfolded);
  const text = body.join("\r\n\r\n").replaceAll("\r\n", "\n");
  return { subject: subject.trim(), text: isQuoted ? unquoted(text.replace(/=\n/g, "")) : text };
}

/** Quoted-printable as UTF-8. */
function unquoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return /[\u0080-\u00ff]/.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}
