import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream as WebStream } from "node:stream/web";
import { CsvError, parse } from "csv-parse";
import { AppError } from "#lib/errors.ts";

/** One record of a file; `line` is where it begins, counted from 1. */
export interface CsvRecord {
  cells: string[];
  line: number;
}

/** A row of the widest file with the longest cells stays below this; an unclosed quote does not (row 117). */
const LONGEST_RECORD = 16 * 1024 * 1024;

const uploadName = "accounts.csv";
const uploadPrefix = "bellwether-upload-";
/** Nobody writes to, or reads from, an upload for so long without being cut off. */
const longestUploadMs = 3_600_000;

/** Removes uploads that a killed process left behind. Those of other users of the machine stay, as does what cannot be removed. */
export async function removeLeftUploads(now: Date, folder = os.tmpdir()): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(uploadPrefix))) {
    const left = path.join(folder, name);
    const writtenAt = await lastWritten(left);
    if (writtenAt !== null && now.getTime() - writtenAt > longestUploadMs) {
      await rm(left, { recursive: true, force: true }).catch(() => {});
    }
  }
}

/** In milliseconds; null for what is not ours to look at, or gone meanwhile. */
async function lastWritten(upload: string): Promise<number | null> {
  const times = [upload, path.join(upload, uploadName)].map((place) => stat(place).then(({ mtimeMs }) => mtimeMs));
  const known = (await Promise.allSettled(times)).filter((time) => time.status === "fulfilled");
  return known.length === 0 ? null : Math.max(...known.map(({ value }) => value));
}

/**
 * Keeps an upload in a temporary file while `work` reads it: a slow sender then holds no transaction, and nothing of its
 * size is ever in memory. The stream's own errors (its cap, its end before time) are thrown as they are.
 */
export async function withUpload<T>(body: ReadableStream<Uint8Array>, work: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), uploadPrefix));
  const file = path.join(folder, uploadName);
  try {
    await pipeline(Readable.fromWeb(body as WebStream<Uint8Array>), createWriteStream(file, { mode: 0o600 }));
    return await work(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The records of a CSV file in UTF-8, a byte order mark or not. Throws `invalid` naming the line where it cannot be read. */
export async function* csvRecords(file: string): AsyncGenerator<CsvRecord> {
  const parser = parse({
    info: true,
    record_delimiter: ["\r\n", "\n", "\r"],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LONGEST_RECORD,
  });
  // Its failure destroys the parser, and so reaches the loop below.
  pipeline(Readable.from(utf8(file)), parser).catch(() => {});
  let end = 0;
  let blank = 0;
  try {
    for await (const { record, info } of parser as AsyncIterable<{
      record: string[];
      info: { lines: number; empty_lines: number };
    }>) {
      const line = end + 1 + (info.empty_lines - blank);
      end = info.lines;
      blank = info.empty_lines;
      yield { cells: record, line };
    }
  } catch (error) {
    throw error instanceof CsvError ? unreadable(error, end + 1) : error;
  }
}

function unreadable(error: CsvError, line: number): AppError {
  const at = typeof error.lines === "number" ? error.lines : line;
  if (error.code === "CSV_QUOTE_NOT_CLOSED") {
    return unfit(
      `A quotation mark that opens in the row of line ${line} is never closed. Close it, or write it twice inside a quoted cell.`,
    );
  }
  if (error.code === "CSV_MAX_RECORD_SIZE") {
    return unfit(
      `The row that begins in line ${line} is longer than 16 MiB: is a quotation mark left open, or are the line breaks missing?`,
    );
  }
  if (error.code === "INVALID_OPENING_QUOTE" || error.code === "CSV_INVALID_CLOSING_QUOTE") {
    return unfit(
      `Line ${at} has a quotation mark inside a cell. Put the whole cell in quotation marks and write the inner one twice: "".`,
    );
  }
  return unfit(`Line ${at} cannot be read as CSV.`);
}

/** The text of the file, piece by piece. */
async function* utf8(file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let lines = 0;
  let first = true;
  for await (const chunk of createReadStream(file, { highWaterMark: 64 * 1024 }) as AsyncIterable<Buffer>) {
    if (first) refuseOtherFormats(chunk);
    first = false;
    let text: string;
    try {
      text = decoder.decode(chunk, { stream: true });
    } catch {
      throw notUtf8(lines + 1 + linesBeforeBadByte(chunk));
    }
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
    if (text !== "") yield text;
  }
  try {
    decoder.decode();
  } catch {
    throw notUtf8(lines + 1);
  }
}

/** A line break never stands inside a character, so each line can be tried by itself. */
function linesBeforeBadByte(chunk: Buffer): number {
  let count = 0;
  for (let start = 0; start < chunk.length; count++) {
    const end = chunk.indexOf(0x0a, start);
    const line = chunk.subarray(start, end < 0 ? chunk.length : end);
    // The first line may begin within a character that the chunk before opened.
    const whole = count === 0 ? line.subarray(leadingContinuations(line)) : line;
    if (end < 0 || !isUtf8(whole)) return count;
    start = end + 1;
  }
  return count;
}

function leadingContinuations(bytes: Buffer): number {
  let count = 0;
  while (count < 3 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function refuseOtherFormats(head: Buffer): void {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x50, 0x4b, 0x03, 0x04))
    throw unfit("This is a spreadsheet or a ZIP archive, not a CSV file. Save the sheet as “CSV UTF-8” and send that.");
  if (starts(0xd0, 0xcf, 0x11, 0xe0))
    throw unfit("This is an Excel workbook, not a CSV file. Save the sheet as “CSV UTF-8” and send that.");
  if (starts(0x1f, 0x8b)) throw unfit("This file is compressed. Unpack it and send the CSV file itself.");
  const sample = head.subarray(0, 4096);
  const zeros = sample.filter((byte) => byte === 0).length;
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff) || zeros > sample.length / 5) {
    throw unfit("The file is not UTF-8: it looks like UTF-16 (“Unicode text”). Save it as “CSV UTF-8”.");
  }
}

function notUtf8(line: number): AppError {
  return unfit(
    `The file is not UTF-8: see line ${line}. It looks like Windows-1252 (Latin-1), which older spreadsheets write. Save it as “CSV UTF-8”.`,
  );
}

function unfit(message: string): AppError {
  return new AppError("invalid", message, { details: [{ path: "body", message }], malformed: true });
}
