import { promisify } from "node:util";
import { gunzip as gunzipWith } from "node:zlib";
import { cappedRequest, textOf } from "#app/api/body.ts";
import { AppError } from "#lib/errors.ts";
import { placeOfJsonError } from "#lib/sources/json-place.ts";

const gunzip = promisify(gunzipWith);

/** As the SDKs expect it; before and after decompression. */
export const mostCallBytes = 500 * 1024;

/**
 * The JSON of a call, gzipped or not, whatever type it says it is of: browsers send text/plain, since that needs no asking
 * beforehand. Throws `too_large` above 500 KB, and a malformed `invalid` for what is no UTF-8, or that names the place for what
 * is no JSON.
 */
export async function readCall(request: Request): Promise<unknown> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() || "identity";
  if (!["identity", "gzip", "x-gzip"].includes(encoding)) {
    throw malformed(`Send the body as it is or with Content-Encoding: gzip; ${encoding.slice(0, 40)} is not taken.`);
  }
  const received = await receive(request);
  // A proxy may have unpacked it already and left the header.
  const isPacked = received[0] === 0x1f && received[1] === 0x8b;
  const bytes = isPacked ? await unpack(received) : received;
  return parseJson(bytes, { isSaidPacked: encoding !== "identity" && !isPacked });
}

async function receive(request: Request): Promise<Buffer> {
  const bytes = Buffer.from(await bodyOf(request).arrayBuffer().catch(whyNot));
  if (bytes.length > mostCallBytes) throw tooLarge();
  if (bytes.length === 0) throw malformed("The request needs a JSON body, and came without one.");
  return bytes;
}

/** What stands before the body may refuse it in the middle; else its sender broke off. */
function whyNot(error: unknown): never {
  throw error instanceof AppError && error.cause instanceof AppError ? error.cause : error;
}

/** The server lets no more through than a length promises; without one, the bytes are counted as they come. */
function bodyOf(request: Request): Request {
  const length = request.headers.get("content-length");
  const isPromised = length !== null && /^\d{1,6}$/.test(length) && Number(length) <= mostCallBytes;
  return isPromised ? request : cappedRequest(request, mostCallBytes);
}

async function unpack(bytes: Buffer): Promise<Buffer> {
  try {
    return await gunzip(bytes, { maxOutputLength: mostCallBytes });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    const isCut = error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR";
    throw malformed(`The gzip of the body ${isCut ? "ends too early: it was cut off" : "is damaged"}. ${sendAsMade}`);
  }
}

const sendAsMade =
  "Send the bytes as gzip made them, whole and never turned into text, with Content-Encoding: gzip; or leave it out and send the JSON as it is.";

function parseJson(bytes: Buffer, { isSaidPacked }: { isSaidPacked: boolean }): unknown {
  let text = "";
  try {
    text = textOf(bytes);
    return JSON.parse(text);
  } catch (error) {
    if (isSaidPacked)
      throw malformed(`Content-Encoding says gzip, and the body is neither gzip nor JSON. ${sendAsMade}`);
    if (error instanceof AppError) throw error;
    const place = placeOfJsonError(text);
    const where = place && `line ${place.line}, column ${place.column}`;
    const what = place ? `The body is not JSON: at ${where}, ${place.expected} was expected.` : "The body is not JSON.";
    throw new AppError("invalid", what, {
      malformed: true,
      ...(place && { details: [{ path: `${where}`, message: `${place.expected} was expected` }] }),
    });
  }
}

function malformed(message: string): AppError {
  return new AppError("invalid", message, { malformed: true });
}

function tooLarge(): AppError {
  return new AppError("too_large", `The call is larger than ${mostCallBytes / 1024} KB. Send its events in parts.`);
}
