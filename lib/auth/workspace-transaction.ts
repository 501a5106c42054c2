/** For routes, which never import the database's own files: a transaction that sees one workspace (row 113). */
export { inWorkspace, type Trx } from "#db/client.ts";
