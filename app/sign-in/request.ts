/** What the server made of it: the address to go on to, or the code of a failure. */
export type SignInOutcome = { next: string } | { failure: string };

/** Tries e-mail and password. */
export function signInWithPassword(email: string, password: string, callbackUrl: string): Promise<SignInOutcome> {
  return post("/api/auth/callback/credentials", { email, password, callbackUrl });
}

/** Asks for the issuer's own sign-in page, which is where `next` leads. */
export function signInAtIssuer(callbackUrl: string): Promise<SignInOutcome> {
  return post("/api/auth/signin/oidc", { callbackUrl });
}

async function post(path: string, fields: Record<string, string>): Promise<SignInOutcome> {
  try {
    const { csrfToken } = (await fetch("/api/auth/csrf").then((response) => response.json())) as { csrfToken: string };
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ ...fields, csrfToken, json: "true" }),
    });
    const { url } = (await answer.json()) as { url?: string };
    return outcomeOf(url, answer.ok);
  } catch {
    return { failure: "offline" };
  }
}

function outcomeOf(url: string | undefined, succeeded: boolean): SignInOutcome {
  if (url === undefined) return { failure: "unknown" };
  const next = new URL(url, window.location.href);
  const failure = next.origin === window.location.origin ? next.searchParams.get("error") : null;
  if (failure !== null || !succeeded) return { failure: failure ?? "unknown" };
  return { next: next.href };
}
