/** What the packs for Google Workspace have in common: one server shows them all. */
import type { PackContract } from '../pack.ts'
import { readsOwn } from './kinds.ts'

export const workspaceServer = 'PyPI workspace-mcp'

/** The tool that every selection of its services has. */
export const workspaceLogin: Readonly<Record<string, PackContract>> = {
  start_google_auth: readsOwn('Gives the principal an address of Google to log in at.'),
}
