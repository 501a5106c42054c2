/** Which Zendesk account a row belongs to: two accounts may share ids, so every Zendesk row carries both. */
export interface Scope {
  workspaceId: number;
  connectionId: number;
}

/**
 * What storing one page did. `ids` are the keys whose rows changed (for ratings and events: the tickets they touch, and
 * `written` the keys as the ledger names them).
 */
export interface PageResult {
  read: number;
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  ids: string[];
  written?: string[];
}
