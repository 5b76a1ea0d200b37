/** Google Drive as `workspace-mcp` (Google Workspace MCP) shows it. */
import type { ContractPack } from '../pack.ts'
import { each, edits, posts, readsOthers, withRoles, words } from './kinds.ts'
import { workspaceLogin, workspaceServer } from './workspace.ts'

const files = readsOthers('Anybody can share a file with the principal, and name it as they like.')
const shares = edits('Decides who may read files: only from a session that has read nothing untrusted or restricted.')

const puts = posts(
  'The folder may be shared with anybody, and content may be fetched from an address: after untrusted reads folder, address and links need a source no stranger writes.',
)

export const googleDrive: ContractPack = {
  name: 'google-drive',
  version: 2,
  of: workspaceServer,
  contracts: {
    ...workspaceLogin,
    ...each(['search_drive_files', 'list_drive_items', 'get_drive_file_content', 'get_drive_file_download_url'], files),
    ...each(['get_drive_file_permissions', 'check_drive_file_public_access', 'get_drive_shareable_link'], files),
    // Not named, so authorities: the account, addresses and paths that content is fetched from, content nobody can read here.
    create_drive_file: withRoles(puts, { folder_id: 'destination', file_name: words, content: words, mime_type: 'content' }),
    create_drive_folder: withRoles(puts, { parent_folder_id: 'destination', folder_name: words }),
    ...each(
      ['import_to_google_doc', 'import_to_google_sheets', 'import_to_google_slides'],
      withRoles(puts, { folder_id: 'destination', file_name: words, content: words, source_format: 'content' }),
    ),
    ...each(['update_drive_file', 'copy_drive_file'], edits('Changes or moves a file that others may read, and shows what it says.')),
    ...each(['manage_drive_access', 'set_drive_file_permissions'], shares),
  },
}
