/** The draft that is decided beside the policy (`policy.shadow`): a configuration of its own, of which only the policy counts. */
import { dirname, resolve } from 'node:path'
import { nodeAt, spotOf, type MapNode } from './locate.ts'
import { ConfigError, type ProblemList } from './problems.ts'
import type { Snapshot } from './snapshot.ts'

/** Loads a configuration that has no draft of its own. */
export type LoadDraft = (path: string) => Promise<Snapshot | ConfigError>

const path = ['policy', 'shadow'] as const

/** The draft of a configuration; undefined where it names none, or where something is wrong with it, which goes to `problems`. */
export async function loadShadow(
  root: MapNode,
  main: string,
  { policy }: Pick<Snapshot, 'policy'>,
  problems: ProblemList,
  load: LoadDraft,
): Promise<Snapshot['shadow']> {
  const node = nodeAt(root, path)
  if (node?.kind !== 'scalar' || typeof node.value !== 'string') return undefined
  const file = resolve(dirname(main), node.value)
  const draft = await load(file)
  if (draft instanceof ConfigError) {
    for (const problem of draft.problems) problems.addRaw(problem)
    return undefined
  }
  // The label of a session is one, and has one set of ranks.
  if (draft.policy.trustRanks.join() !== policy.trustRanks.join())
    problems.add(spotOf(root, path, 'value'), path, 'the draft has other ranks in `policy.trust`; both decide on the same labels')
  return { file, revision: draft.revision, policy: draft.policy }
}
