/** The reference server that fetches pages, `mcp-server-fetch`. */
import type { ContractPack } from '../pack.ts'
import { reachesOut, withRoles } from './kinds.ts'

export const fetch: ContractPack = {
  name: 'fetch',
  version: 2,
  of: 'PyPI mcp-server-fetch',
  contracts: {
    fetch: withRoles(
      reachesOut(
        'A page may hold instructions of a stranger, and an address can carry data out: untrusted after it, and then only to addresses that have a source no stranger writes.',
      ),
      { url: 'destination', max_length: 'content', start_index: 'content', raw: 'content' },
    ),
  },
}
