/** Why somebody is not signed in: what happened and what to do. */
export interface SignInFailure {
  title: string;
  remedy: string;
}

const unknownFailure: SignInFailure = {
  title: "Sign-in did not succeed.",
  remedy: "Try again. If it stays, the server's log says why.",
};

/** The words for a code of sign-in; `clock` writes the instant at which a lock ends. */
export function failureOf(code: string, issuer: string, clock: (instant: Date) => string): SignInFailure {
  const [name = "", ...rest] = code.split(":");
  if (name === "locked") {
    const until = new Date(rest.join(":"));
    return {
      title: "Sign-in is locked after five wrong passwords.",
      remedy: Number.isNaN(until.getTime())
        ? "It opens again within 15 minutes."
        : `It opens again at ${clock(until)}. An administrator can unlock it before.`,
    };
  }
  return new Map(Object.entries(failures(issuer))).get(name) ?? unknownFailure;
}

function failures(issuer: string): Record<string, SignInFailure> {
  const atIssuer = {
    title: `${issuer} did not sign you in.`,
    remedy: "Try again. If it stays, the server's log says why.",
  };
  return {
    wrong: {
      title: "The e-mail address or the password is wrong.",
      remedy: "Five wrong passwords lock for 15 minutes.",
    },
    disabled: { title: "This person is disabled here.", remedy: "An administrator can let you in again." },
    unavailable: { title: "The server cannot reach its database.", remedy: "Try again in a moment." },
    offline: { title: "The server does not answer.", remedy: "Check the connection, then try again." },
    unverified: {
      title: `${issuer} has not verified your e-mail address.`,
      remedy: "Verify it there, then sign in again.",
    },
    not_invited: {
      title: "Nobody has added you here yet.",
      remedy: "Ask an administrator to add your e-mail address.",
    },
    OAuthSignin: atIssuer,
    OAuthCallback: atIssuer,
    Callback: atIssuer,
    AccessDenied: atIssuer,
  };
}
