/** The reference server for files, `@modelcontextprotocol/server-filesystem`. */
import type { ContractPack } from '../pack.ts'
import { changesOwn, each, keptWords, readsOwn, under, withRoles } from './kinds.ts'

const reads = readsOwn(
  'Files in the folders this server was given are the principal’s own. A folder that others write into (downloads, a shared drive) needs a contract of yours.',
)
const changes = changesOwn(
  'Changes or replaces files, which are read as the principal’s own afterwards: after untrusted reads only at a path, and with words, that have a source no stranger writes. Nothing leaves by it.',
)

export const filesystem: ContractPack = {
  name: 'filesystem',
  version: 3,
  of: 'npm @modelcontextprotocol/server-filesystem',
  contracts: {
    ...each(['read_file', 'read_text_file', 'read_media_file', 'get_file_info'], under('path', reads)),
    read_multiple_files: under('paths', reads),
    ...each(['list_directory', 'list_directory_with_sizes', 'directory_tree', 'search_files'], under('path', reads, true)),
    list_allowed_directories: readsOwn('Names the folders the administrator gave this server.'),
    write_file: under('path', withRoles(changes, { path: 'destination', content: keptWords })),
    edit_file: under(
      'path',
      withRoles(changes, { path: 'destination', 'edits.oldText': 'content', 'edits.newText': keptWords, dryRun: 'content' }),
    ),
    create_directory: under('path', withRoles(changes, { path: 'destination' })),
    move_file: under(['source', 'destination'], withRoles(changes, { source: 'authority', destination: 'destination' }), true),
  },
}
