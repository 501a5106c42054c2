import type { ChaosAccount } from "./accounts.ts";

/** What an account has ever done to its rows: the present alone cannot say whether a tombstone was once right. */
export class Past {
  readonly deletedTickets = new Set<string>();
  readonly restoredTickets = new Set<string>();
  /** What the export has ever kept back is the night's business (row 23). */
  readonly hiddenTickets = new Set<string>();

  constructor({ world }: ChaosAccount) {
    const { tickets } = world;
    for (const ticket of tickets.byId.values()) if (ticket.deleted) this.deletedTickets.add(ticket.id);
    const { delete: remove, restore, hideFromExport } = tickets;
    tickets.delete = (...given) => {
      this.deletedTickets.add(given[0]);
      return remove.apply(tickets, given);
    };
    tickets.restore = (...given) => {
      this.restoredTickets.add(given[0]);
      return restore.apply(tickets, given);
    };
    tickets.hideFromExport = (...given) => {
      this.hiddenTickets.add(given[0]);
      return hideFromExport.apply(tickets, given);
    };
  }
}
