import { once } from "node:events";
import { createWriteStream } from "node:fs";
import pg from "pg";

/** The messages of the COPY protocol, which the driver's typings leave out. */
interface CopyConnection {
  sendCopyFromChunk(bytes: Buffer): void;
  endCopyFrom(): void;
}

/** Sends prepared bytes: `statement` is `copy … from stdin`. */
export function copyIn(client: pg.Client, statement: string, bytes: Buffer): Promise<void> {
  return submit(client, statement, {
    handleCopyInResponse(connection: CopyConnection) {
      connection.sendCopyFromChunk(bytes);
      connection.endCopyFrom();
    },
  });
}

/** Writes what `copy … to stdout` gives to a file. */
export async function copyOut(client: pg.Client, statement: string, file: string): Promise<void> {
  const target = createWriteStream(file);
  await submit(client, statement, {
    handleCopyData: (message: { chunk: Buffer }) => void target.write(Buffer.from(message.chunk)),
  });
  target.end();
  await once(target, "close");
}

function submit(client: pg.Client, statement: string, protocol: object): Promise<void> {
  const query = new pg.Query(statement);
  const done = new Promise<void>((resolve, reject) => {
    query.once("end", () => resolve());
    query.once("error", reject);
  });
  client.query(Object.assign(query, protocol));
  return done;
}
