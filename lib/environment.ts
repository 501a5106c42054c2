export type Environment = Record<string, string | undefined>;

export interface ConfigProblem {
  variable: string;
  message: string;
}

/** Names everything that is missing or wrong, never a value. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ variable, message }) => `  ${variable} ${message}`);
    super(`The configuration is not complete:\n${lines.join("\n")}`);
    this.problems = problems;
  }
}

const secretLength = 32;

/** Reads variables by kind and collects what is wrong with them, so that one error can name it all. */
export class EnvironmentReader {
  private readonly env: Environment;
  private readonly problems: ConfigProblem[] = [];

  constructor(env: Environment) {
    this.env = env;
  }

  problem(variable: string, message: string): void {
    this.problems.push({ variable, message });
  }

  /** An empty variable is an absent one, as in a line `PORT=` of an environment file. */
  text(name: string): string | null {
    const value = this.env[name];
    return value === undefined || value.trim() === "" ? null : value;
  }

  required(value: string | null, name: string): string {
    if (value === null && this.text(name) === null) this.problem(name, "is missing");
    return value ?? "";
  }

  secret(name: string): string | null {
    const value = this.text(name);
    if (value === null || value.length >= secretLength) return value;
    this.problem(name, `must have at least ${secretLength} characters and has ${value.length}`);
    return null;
  }

  /** A secret that travels in an Authorization header, as which it must be possible to send it. */
  bearer(name: string): string | null {
    const value = this.secret(name);
    if (value === null || /^[\x21-\x7e]+$/.test(value)) return value;
    this.problem(name, "must be plain ASCII without a space or a line break (does the file it comes from end in one?)");
    return null;
  }

  integer(name: string, range: { from: number; to: number; otherwise: number }): number {
    const value = this.text(name);
    if (value === null) return range.otherwise;
    if (/^\d{1,9}$/.test(value) && Number(value) >= range.from && Number(value) <= range.to) return Number(value);
    this.problem(name, `must be a whole number from ${range.from} to ${range.to}`);
    return range.otherwise;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], otherwise: Choice): Choice {
    const value = this.text(name);
    const chosen = choices.find((choice) => choice === value);
    if (value !== null && chosen === undefined) this.problem(name, `must be one of ${choices.join(", ")}`);
    return chosen ?? otherwise;
  }

  /** All of them or none. */
  together(names: string[]): (string | null)[] {
    const values = names.map((name) => this.text(name));
    const given = names.filter((_, index) => values[index] !== null);
    if (given.length > 0) {
      for (const [index, name] of names.entries()) {
        if (values[index] === null) this.problem(name, `is missing; it belongs to ${given.join(" and ")}`);
      }
    }
    return values;
  }

  finish<Result extends object>(config: Result): Result {
    if (this.problems.length > 0) throw new ConfigError(this.problems);
    return deepFreeze(config);
  }
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
