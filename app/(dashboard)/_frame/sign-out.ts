/** Ends the session at the server, then shows the sign-in screen. Rejects when the server did not agree. */
export async function signOut(): Promise<void> {
  const token = await fetch("/api/auth/csrf").then((response) => response.json() as Promise<{ csrfToken: string }>);
  const answer = await fetch("/api/auth/signout", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ csrfToken: token.csrfToken, callbackUrl: "/sign-in", json: "true" }),
  });
  if (!answer.ok) throw new Error(`Signing out answered ${answer.status}`);
  // A full load: nothing of the session may stay in the memory of the page.
  window.location.assign("/sign-in");
}
