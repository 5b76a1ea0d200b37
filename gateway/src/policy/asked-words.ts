/**
 * Whether a person asked for what a call does (`contracts.*.requires.asked`): once something untrusted was read, one of these words
 * has to stand in what the person wrote. It says nothing of the values of the call, only that a stranger alone does not bring it about.
 */
import type { Evidence } from './evidence.ts'
import { counts, type NeededSource } from './provenance.ts'
import type { Contract, Gap, Label } from './types.ts'

/** The words, one of which is needed, as what is looked up. None while nothing untrusted was read. */
export function neededWords({ requires: { asked } }: Contract, label: Label): readonly NeededSource[] {
  if (asked === undefined || label.trust >= asked.trust) return []
  return asked.words.map((text) => ({ rule: ruleOf(asked.trust), text, what: 'value' }))
}

/** A gap when the person's own words have none of them. */
export function askedGaps(contract: Contract, label: Label, evidence: Evidence): readonly Gap[] {
  const words = neededWords(contract, label)
  if (words.length === 0 || words.some((one) => (evidence.values?.get(one.text) ?? []).some((found) => counts(one, found)))) return []
  const listed = words.map(({ text }) => `\`${text}\``).join(', ')
  return [
    { kind: 'provenance', detail: `the person did not ask for it: they wrote none of ${listed}`, source: `contract ${contract.source}` },
  ]
}

function ruleOf(trust: number): NeededSource['rule'] {
  return {
    name: undefined,
    path: [],
    role: 'authority',
    from: ['principal'],
    record: undefined,
    cleanIsEnough: true,
    trust,
    linkTrust: trust,
    values: [],
    links: false,
  }
}
