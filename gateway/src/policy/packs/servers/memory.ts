/** The reference server for a memory, `@modelcontextprotocol/server-memory`: what it is told is read in later sessions. */
import type { ContractPack } from '../pack.ts'
import { changesOwn, each, keptWords, readsOwn, under, withRoles } from './kinds.ts'

const remembers = changesOwn(
  'What is stored here is read in later sessions that do not know what this one has read: after untrusted reads only names and words that have a source no stranger writes.',
)
const reads = readsOwn(
  'Holds what agents stored, each part under the label of who stored it, as long as everything that writes to it goes through here.',
)
const forgets = changesOwn('What is forgotten cannot be had back: only while the session has read nothing untrusted.')

export const memory: ContractPack = {
  name: 'memory',
  version: 3,
  of: 'npm @modelcontextprotocol/server-memory',
  contracts: {
    create_entities: under(
      'entities.name',
      withRoles(remembers, {
        'entities.name': 'authority',
        'entities.entityType': 'authority',
        'entities.observations': keptWords,
      }),
    ),
    create_relations: under(
      ['relations.from', 'relations.to'],
      withRoles(remembers, {
        'relations.from': 'authority',
        'relations.to': 'authority',
        'relations.relationType': 'authority',
      }),
    ),
    add_observations: under(
      'observations.entityName',
      withRoles(remembers, { 'observations.entityName': 'authority', 'observations.contents': keptWords }),
    ),
    ...each(['delete_entities', 'delete_observations', 'delete_relations'], forgets),
    open_nodes: under('names', reads),
    ...each(['read_graph', 'search_nodes'], { ...reads, remembers: 'all' }),
  },
}
