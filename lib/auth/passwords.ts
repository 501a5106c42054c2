import { randomBytes, randomInt, scrypt, timingSafeEqual } from "node:crypto";

/** Memory is 128 × cost × blockSize bytes: 32 MiB for each password tried. */
interface Parameters {
  cost: number;
  blockSize: number;
  parallelism: number;
}
const parameters: Parameters = { cost: 2 ** 15, blockSize: 8, parallelism: 1 };
const saltLength = 16;
const hashLength = 32;

/** `scrypt$<cost>$<block size>$<parallelism>$<salt>$<hash>`: what is needed to verify stands beside the hash. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltLength);
  const hash = await derive(password, salt, parameters);
  const { cost, blockSize, parallelism } = parameters;
  return ["scrypt", cost, blockSize, parallelism, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

/** Takes the same time for nobody (`stored` null) as for a wrong password, so that it does not tell who exists. */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  const { salt, hash, ...used } = stored === null ? nobody : parse(stored);
  const given = await derive(password, salt, used);
  return timingSafeEqual(given, hash) && stored !== null;
}

/** About 99 bits, in groups that can be read aloud; letters and digits that look alike are left out. */
export function generatePassword(): string {
  const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";
  const group = () => Array.from({ length: 5 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return [group(), group(), group(), group()].join("-");
}

const nobody = { ...parameters, salt: Buffer.alloc(saltLength), hash: Buffer.alloc(hashLength) };

function parse(stored: string): Parameters & { salt: Buffer; hash: Buffer } {
  const [name, cost, blockSize, parallelism, salt, hash] = stored.split("$");
  if (name !== "scrypt" || !salt || !hash) throw new Error("A stored password hash has a form that is not known.");
  return {
    cost: Number(cost),
    blockSize: Number(blockSize),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, "base64url"),
    hash: Buffer.from(hash, "base64url"),
  };
}

function derive(password: string, salt: Buffer, { cost, blockSize, parallelism }: Parameters): Promise<Buffer> {
  const options = { N: cost, r: blockSize, p: parallelism, maxmem: 256 * cost * blockSize };
  return new Promise((resolve, reject) =>
    // One person's é may be typed as two code points on another keyboard.
    scrypt(password.normalize("NFKC"), salt, hashLength, options, (error, key) =>
      error ? reject(error) : resolve(key),
    ),
  );
}
