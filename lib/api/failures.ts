import { AppError } from "#lib/errors.ts";

/**
 * What a failure is in the API's own words, or null for one that nobody foresaw (a bug: its message stays in the log).
 * Besides AppError this knows the database: out of reach, busy, or given a value that it cannot hold.
 */
export function foreseen(error: unknown): AppError | null {
  if (error instanceof AppError) return error;
  if (!(error instanceof Error)) return null;
  const code = "code" in error ? String(error.code) : "";
  if (isUnreachable(code, error.message)) {
    return new AppError("unavailable", "The database cannot be reached just now. Try again in a moment.", {
      cause: error,
    });
  }
  if (busyCodes.has(code)) {
    return new AppError("unavailable", "Somebody else was changing the same rows. Try again.", { cause: error });
  }
  if (isOverstretched(code)) {
    return new AppError(
      "unavailable",
      "The database cannot write just now: its disk or memory is full, or it only reads.",
      {
        cause: error,
      },
    );
  }
  const message = unfitValues[code];
  return message === undefined ? null : new AppError("invalid", message, { cause: error });
}

/** Serialization failure, deadlock, lock not available, statement cancelled by a time-out. */
const busyCodes = new Set(["40001", "40P01", "55P03", "57014"]);
/** Disk full, out of memory; and a server that only reads for now (row 82). */
const isOverstretched = (code: string) => /^53[12]00$/.test(code) || code === "25006";
const outsideTime = "A day or an instant in the request lies outside of what can be reckoned with.";

const unfitValues: Record<string, string> = {
  "22007": outsideTime,
  "22008": outsideTime,
  "22009": outsideTime,
  "22003": "A number in the request is too large.",
  "22021": "The request holds a NUL character, which no text here can contain.",
  "22P05": "The request holds a character that no text here can contain.",
};

function isUnreachable(code: string, message: string): boolean {
  const network = ["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EHOSTUNREACH", "EAI_AGAIN"];
  // 08: connection exceptions; 53300: too many connections; 57P0x: the server is going down or coming up.
  if (network.includes(code) || /^(08|57P0)/.test(code) || code === "53300") return true;
  // pg's words, which have no code: the last for a client that broke between two statements.
  return /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(
    message,
  );
}
