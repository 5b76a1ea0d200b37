/**
 * What was found when a call was decided with all that is not known now. It stands in the place of the checks that would need
 * it: whoever decides a recorded call again has no arguments to look at.
 */
import type { ApprovalTerms, Gap, GapKind, Policy } from './types.ts'

export interface Repeated {
  /** Kinds of gaps that are not looked for again. */
  readonly kinds: ReadonlySet<GapKind>
  /** Rules that are not asked again, as `rule …`. */
  readonly rules: ReadonlySet<string>
  /** Those of them with `warn` that applied. */
  readonly warned: ReadonlySet<string>
  /** What was found instead. */
  readonly gaps: readonly Gap[]
  /** Who approved this very call: nothing of it waits for a person any more. */
  readonly approvedBy?: string | undefined
}

type ByAsker = Readonly<Record<'grants' | 'rules' | 'contracts' | 'others', readonly Gap[]>>

const nothing: ByAsker = { grants: [], rules: [], contracts: [], others: [] }

/** Those of the repeated gaps that rules said, and those that contracts did; what is left stands for itself. */
export function repeatedBy(repeated: Repeated | undefined): ByAsker {
  if (repeated === undefined) return nothing
  const of = ({ kind, source }: Gap): 'grants' | 'rules' | 'contracts' | 'others' => {
    if (kind === 'grant') return 'grants'
    if (source.startsWith('rule ')) return 'rules'
    return source.startsWith('contract') ? 'contracts' : 'others'
  }
  const by = { grants: [] as Gap[], rules: [] as Gap[], contracts: [] as Gap[], others: [] as Gap[] }
  for (const gap of repeated.gaps) by[of(gap)].push(gap)
  return by
}

/** Whom a gap that a rule has said waits for; undefined where it waits for nobody. */
export function termsOfRule({ rules }: Policy, { kind, source }: Gap): ApprovalTerms | undefined {
  return kind === 'approval' ? rules.find(({ name }) => `rule ${name}` === source)?.terms : undefined
}
