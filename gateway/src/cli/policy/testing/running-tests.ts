/** Plays policy tests through the engine and says what came of each step that expects something. */
import type { PolicyTestCall, PolicyTestRead, PolicyTestWho } from '@turnward/contract/policy-tests'
import type { Snapshot } from '../../../config/snapshot.ts'
import { didYouMean } from '../../../core/closest-name.ts'
import { TurnwardError } from '../../../core/error.ts'
import type { JsonObject, JsonValue } from '../../../core/json.ts'
import type { Principal } from '../../../core/principal.ts'
import { serverOfName } from '../../../core/tool-names.ts'
import { isReleased } from '../../../policy/decide.ts'
import { labelRecord } from '../../../policy/label.ts'
import { clientRun, type Grantee, type ToolSubject, type Verdict } from '../../../policy/types.ts'
import { Rehearsal } from '../../../turns/rehearsing/rehearsal.ts'
import type { PolicyTest } from './reading-tests.ts'

export interface FailedStep {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly tool: string
  /** What is not as it was expected, each in one sentence. */
  readonly differences: readonly string[]
  /** Of a call: what was decided. */
  readonly verdict?: Pick<Verdict, 'action' | 'gaps' | 'rules' | 'reason' | 'remedies'>
  /** What the session carries, as records have it. */
  readonly label: ReturnType<typeof labelRecord>
}

export interface TestResult {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly ok: boolean
  readonly calls: number
  readonly failures: readonly FailedStep[]
  /** Tools of it that no contract describes: a name may be written wrong. */
  readonly undescribed: readonly string[]
}

/** Throws `request.invalid` when the case is about somebody nobody has declared. */
export function runPolicyTest(snapshot: Snapshot, test: PolicyTest): TestResult {
  const { policy } = snapshot
  const rehearsal = new Rehearsal(policy, granteeOf(snapshot, test))
  const failures: FailedStep[] = []
  const undescribed = new Set<string>()
  let calls = 0
  for (const { line, step } of test.steps) {
    if ('says' in step) rehearsal.say('principal', step.says)
    else if ('instructs' in step) rehearsal.say('operator', step.instructs)
    else {
      const tool = subjectIn(snapshot, 'call' in step ? step.call : step.read, step.hints)
      if (policy.contractOf(tool.name) === undefined) undescribed.add(tool.name)
      const args = step.args as JsonObject
      const verdict = 'call' in step ? callOf(rehearsal, tool, step) : undefined
      if (verdict === undefined) rehearsal.read({ tool, args }, step.result as JsonValue, { outcome: 'possible' })
      else calls += 1
      const label = labelRecord(rehearsal.state.label, policy)
      const differences = [...('call' in step && verdict !== undefined ? verdictDifferences(step, verdict) : []), ...carried(step, label)]
      if (differences.length > 0)
        failures.push({ file: test.file, line, tool: tool.name, differences, label, ...(verdict === undefined ? {} : { verdict }) })
    }
  }
  const { name, file, line } = test
  return { name, file, line, ok: failures.length === 0, calls, failures, undescribed: [...undescribed] }
}

function callOf(rehearsal: Rehearsal, tool: ToolSubject, step: PolicyTestCall): Verdict {
  const args = step.args as JsonObject
  const { verdict, callKey } = rehearsal.propose({ tool, args, gateway: step.gateway ?? null, approvedBy: step.approved_by })
  if (isReleased(verdict) && step.ends !== 'open') rehearsal.read({ tool, args }, step.result as JsonValue, { callKey, outcome: step.ends })
  return verdict
}

function verdictDifferences(step: PolicyTestCall, verdict: Verdict): readonly string[] {
  const kinds = [...new Set(verdict.gaps.map(({ kind }) => kind))].toSorted()
  const wanted = step.gaps === undefined ? undefined : [...new Set(step.gaps)].toSorted()
  const deciders = new Set([...verdict.rules, ...verdict.gaps.map(({ source }) => source)])
  return [
    ...(verdict.action === step.expect ? [] : [`expected ${step.expect}, got ${verdict.action}`]),
    ...(step.verdict === undefined || step.verdict === verdict.verdict
      ? []
      : [`expected the verdict ${step.verdict}, got ${verdict.verdict}`]),
    ...(wanted === undefined || wanted.join() === kinds.join()
      ? []
      : [`expected the gaps ${wanted.join(', ') || 'none'}, got ${kinds.join(', ') || 'none'}`]),
    ...step.decided_by.filter((line) => !deciders.has(line)).map((line) => `\`${line}\` has no part in the decision`),
  ]
}

function carried({ carries }: PolicyTestCall | PolicyTestRead, label: FailedStep['label']): readonly string[] {
  if (carries === undefined) return []
  const sorted = (audience: readonly (readonly string[])[]): string =>
    JSON.stringify(audience.map((clause) => clause.toSorted()).toSorted((one, other) => (one.join() < other.join() ? -1 : 1)))
  const { trust, audience } = carries
  return [
    ...(trust === undefined || trust === label.trust ? [] : [`expected a session of trust ${trust}, got ${label.trust}`]),
    ...(audience === undefined || sorted(audience) === sorted(label.audience)
      ? []
      : [`expected a session for ${sorted(audience)}, got ${sorted(label.audience)}`]),
  ]
}

/** A tool by its name: of a server of the configuration, else one that a client runs itself. */
function subjectIn({ servers }: Snapshot, name: string, hints: ToolSubject['hints']): ToolSubject {
  const server = serverOfName(name)
  return { name, server: server !== undefined && servers.has(server) ? server : clientRun, ...(hints === undefined ? {} : { hints }) }
}

function granteeOf({ principals }: Snapshot, { who, file, line }: PolicyTest): Grantee {
  const { principal: id, groups, actor, consumer, issuer } = asObject(who)
  const declared = principals.get(id)
  // With groups of its own it may be somebody whom an issuer tells of.
  if (declared === undefined && groups === undefined)
    throw new TurnwardError('request.invalid', {
      subject: `${file}:${line}`,
      why: `\`${id}\` is no principal of the configuration${didYouMean(id, principals.keys())}`,
      fix: 'Name one, or say which groups it has.',
    })
  const known: Principal = declared ?? { id, kind: 'human', groups: [], emails: id.includes('@') ? [id] : [], credentials: new Map() }
  return {
    principal: groups === undefined ? known : { ...known, groups },
    actor: actor ?? null,
    consumer: consumer ?? null,
    issuer: issuer ?? null,
  }
}

function asObject(who: PolicyTestWho): Exclude<PolicyTestWho, string> {
  return typeof who === 'string' ? { principal: who } : who
}
