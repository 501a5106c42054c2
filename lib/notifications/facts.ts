/** What is known of a connection, for judging which notices are due. Instants, lengths in minutes. */
export interface ConnectionFacts {
  connectionId: number;
  name: string;
  /** active | failing | paused; connections without a login have no notices. */
  state: string;
  failure: Failure | null;
  authType: string;
  /** Until then the sign-in can be renewed without a person, where known. */
  loginEndsAt: Date | null;
  clockSkewSeconds: number | null;
  intervalMinutes: number;
  streams: StreamFacts[];
  /** Absent rows that wait for a person's word. */
  heldAbsences: number;
  webhook: { state: string; failure: Failure | null } | null;
}

export interface StreamFacts {
  name: string;
  state: string;
  freshThrough: Date | null;
  /** When anything of it was last read or begun, in whichever kind of run. */
  movedAt: Date;
  failure: Failure | null;
}

export interface Failure {
  code: string;
  message: string;
  action: string;
}

/** A notice that should be open. */
export interface DueNotice {
  code: string;
  message: string;
  action: string;
}
