/** Faults of the policy engine: labels that widen, requirements that are not asked, effects that are miscounted. */
import type { Mutant } from '../mutant.ts'

const label = 'gateway/src/policy/label.ts'
const effects = 'gateway/src/policy/effects.ts'
const gaps = 'gateway/src/policy/gaps.ts'
const labelTests = ['gateway/src/policy/label.test.ts', 'gateway/src/invariants/01-']
const effectTests = ['gateway/src/policy/effects.test.ts', 'gateway/src/policy/decide.test.ts']
const decideTests = ['gateway/src/policy/decide.test.ts']

export const policyFaults: readonly Mutant[] = [
  { name: 'label-trust-takes-the-better', file: label, find: 'trust: Math.min(a.trust, b.trust)', replace: 'trust: Math.max(a.trust, b.trust)', tests: labelTests },
  {
    name: 'label-audience-is-united',
    file: label,
    find: 'audience: b.audience.length === 0 ? a.audience : canonicalAudience([...a.audience, ...b.audience])',
    replace: 'audience: b.audience.length === 0 ? a.audience : canonicalAudience([[...a.audience.flat(), ...b.audience.flat()]])',
    tests: labelTests,
  },
  { name: 'label-keeps-the-weaker-clause', file: label, find: 'other.every((reader) => readers.has(reader))', replace: 'clause.every((reader) => other.includes(reader))', tests: labelTests },
  {
    name: 'label-of-an-unknown-rank-is-trusted',
    file: label,
    find: 'trust: Math.max(0, policy.trustRanks.indexOf(record.trust))',
    replace: 'trust: policy.trustRanks.includes(record.trust) ? policy.trustRanks.indexOf(record.trust) : policy.trustRanks.length - 1',
    tests: labelTests,
  },
  { name: 'undescribed-result-is-trusted', file: 'gateway/src/policy/contracts.ts', find: "output: { trust: 0, audience: ['$principal'] }", replace: "output: { trust: undefined, audience: ['$principal'] }", tests: ['gateway/src/policy/admit.test.ts'] },
  { name: 'undescribed-result-is-for-everyone', file: 'gateway/src/policy/contracts.ts', find: "output: { trust: 0, audience: ['$principal'] }", replace: 'output: { trust: 0, audience: undefined }', tests: ['gateway/src/policy/admit.test.ts'] },
  { name: 'hint-is-ignored', file: 'gateway/src/policy/contracts.ts', find: "const openWorld = tool.hints?.openWorldHint === true", replace: 'const openWorld = false', tests: ['gateway/src/policy/contracts.test.ts', 'gateway/src/policy/admit.test.ts'] },
  { name: 'unknown-content-adds-nothing', file: 'gateway/src/policy/admit.ts', find: '{ trust: 0, audience: audienceOf(reader === undefined ? [] : [reader]) }', replace: 'state.label', tests: ['gateway/src/policy/admit.test.ts'] },
  { name: 'packs-win-over-the-administrator', file: 'gateway/src/policy/contracts.ts', find: '[...own, ...fromPacks.filter(({ pattern }) => !Object.hasOwn(contracts, pattern))]', replace: '[...fromPacks, ...own]', tests: ['gateway/src/policy/packs/'] },
  { name: 'packs-give-the-laxest', file: 'gateway/src/policy/packs/packs.ts', find: 'entries.some(({ requires }) => requires !== undefined)', replace: 'entries.every(({ requires }) => requires === undefined)', tests: ['gateway/src/policy/packs/'] },
  {
    name: 'reservation-is-not-counted',
    file: effects,
    find: ' || Object.entries(ledger.reserved).some(([key, effects]) => key !== callKey && names(effects))',
    replace: '',
    tests: effectTests,
  },
  { name: 'done-counts-reserved', file: effects, find: 'return ledger.done.includes(effect)', replace: 'return ledger.done.includes(effect) || Object.values(ledger.reserved).flat().includes(effect)', tests: effectTests },
  { name: 'done-counts-unconfirmed', file: effects, find: 'return ledger.done.includes(effect)', replace: 'return ledger.done.includes(effect) || ledger.done.includes(unconfirmedEffect(effect))', tests: effectTests },
  { name: 'given-up-reservation-is-forgotten', file: effects, find: 'withEffects(ledger.done, givenUp.map(unconfirmedEffect))', replace: 'ledger.done', tests: effectTests },
  { name: 'failed-rule-passes', file: gaps, find: "gaps.push({ kind: 'rule', detail: `the condition of rule", replace: "void ({ kind: 'rule', detail: `the condition of rule", tests: decideTests },
  { name: 'undescribed-tool-runs-untrusted', file: gaps, find: 'if (state.label.trust >= policy.trustRanks.length - 1 || mayReadOn(policy, question)) return []', replace: 'if (state.label.trust >= 0) return []', tests: decideTests },
  { name: 'every-undescribed-tool-reads-on', file: gaps, find: 'tool.reading === true && tool.server !== clientRun', replace: 'tool.server !== clientRun', tests: decideTests },
  { name: 'a-client-says-its-tool-reads', file: gaps, find: 'tool.reading === true && tool.server !== clientRun', replace: 'tool.reading === true', tests: ['gateway/src/policy/reading-tools.test.ts'] },
  { name: 'strict-reads-on', file: gaps, find: "policy.posture !== 'strict' && tool.reading", replace: 'tool.reading', tests: ['gateway/src/policy/reading-tools.test.ts'] },
  { name: 'the-hint-alone-makes-a-reading-tool', file: 'gateway/src/policy/reading-tools.ts', find: 'namesReading(name) && isObject(schema) && argumentsStayInside(schema)', replace: 'isObject(schema)', tests: ['gateway/src/policy/reading-tools.test.ts'] },
  { name: 'trust-is-not-required', file: gaps, find: 'if (needed === undefined || state.label.trust >= needed) return []', replace: 'if (needed === undefined || state.label.trust >= 0) return []', tests: decideTests },
  { name: 'unreadable-recipient-passes', file: gaps, find: 'if (unreadable !== undefined) gaps.push', replace: 'if (unreadable === null) gaps.push', tests: decideTests },
  { name: 'one-allowed-recipient-is-enough', file: gaps, find: 'if (refused > 0) {', replace: 'if (refused > 0 && refused === readers.length) {', tests: decideTests },
  { name: 'grant-of-a-tool-is-not-asked', file: gaps, find: "grant === undefined ? [{ kind: 'grant'", replace: "grant === 'none' ? [{ kind: 'grant'", tests: decideTests },
  { name: 'grant-is-for-everyone', file: 'gateway/src/policy/grants.ts', find: "grant.principals.has('*') ||", replace: 'grant.principals.size > 0 ||', tests: ['gateway/src/policy/grants.test.ts'] },
  { name: 'lists-look-for-remedies', file: 'gateway/src/policy/decide.ts', find: 'return verdictOf(policy, findGaps(policy, state, question))', replace: 'return decide(policy, state, { ...question, args: question.args ?? {} })', tests: ['gateway/src/policy/reachable.test.ts'] },
  { name: 'observe-lets-ungranted-in', file: 'gateway/src/policy/decide.ts', find: "policy.posture === 'observe' && grant !== undefined ?", replace: "policy.posture === 'observe' ?", tests: decideTests },
  { name: 'refusal-quotes-arguments', file: gaps, find: 'const argument = `argument ', replace: 'const argument = `${JSON.stringify(question.args)} ', tests: [...decideTests, 'gateway/src/invariants/04-'] },
]
