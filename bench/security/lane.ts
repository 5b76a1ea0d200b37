/** A lane: one suite, one server of it, one gateway, and one case after the other. Lanes run beside each other. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gatewayCommand } from '../gateway-under-test.ts'
import { startProcess, type MeasuredProcess } from '../measured-process.ts'
import { runAgent } from './agent.ts'
import { apiApprovals, ruledWhile } from './api-approvals.ts'
import { type Approvals, type Approver, type Asked, verdictOf } from './approver.ts'
import { nameOf, type Case } from './cases.ts'
import type { GullibleModel } from './gullible-model.ts'
import { laneConfig, principalOf, type Defence, type PolicyName } from './lane-config.ts'
import { refusalsOf, type Refusal } from './refusals.ts'
import { Script } from './script.ts'
import { formOf, missingOf, unaskedOf } from './side-effects.ts'
import { startSuiteServer, type SuiteServer } from './suite-server.ts'
import type { Call, Suite } from './suites.ts'

export interface CaseOutcome {
  readonly case: Case
  readonly defence: Defence
  /** Of a task alone: AgentDojo calls it done, and every call of it has run. */
  readonly isDone: boolean
  /** Of an attack: what it wanted has happened. */
  readonly hasSucceeded: boolean
  /** Whether the model could read the instruction at all. */
  readonly wasSeen: boolean
  /** Side effects the person did not ask for. */
  readonly unasked: readonly Call[]
  /** Calls of the task that did not run. */
  readonly missing: readonly Call[]
  /** Calls the model had still in mind when its client stopped asking it. */
  readonly untried: number
  /** How often a person was asked. */
  readonly prompts: number
  /** Of a task alone that was not done: what the decision log says. */
  readonly refusals: readonly Refusal[]
}

export interface LaneOptions {
  readonly policy: PolicyName
  readonly suite: Suite
  readonly defence: Defence
  readonly cases: readonly Case[]
  /** Who is there to be asked, where somebody is. */
  readonly approver: Approver
  readonly python: string
  readonly model: GullibleModel
  readonly done: (outcome: CaseOutcome) => void
}

export async function runLane({
  policy,
  suite,
  defence,
  cases,
  approver,
  python,
  model,
  done,
}: LaneOptions): Promise<readonly CaseOutcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'turnward-security-'))
  const config = join(folder, 'turnward.json')
  let server: SuiteServer | undefined
  let gateway: MeasuredProcess | undefined
  try {
    server = await startSuiteServer(python, suite)
    const newKey = (): string => `tw_${randomBytes(24).toString('hex')}`
    const keys = cases.map(newKey)
    const approverKey = newKey()
    await writeFile(
      config,
      JSON.stringify(laneConfig({ policy, suite, defence, modelUrl: model.url, mcpUrl: server.mcpUrl, keys, approverKey })),
      {
        mode: 0o600,
      },
    )
    gateway = await startProcess({
      command: gatewayCommand(['start', '--json', '--config', config]),
      core: 'any',
      deadlineMs: 120_000,
      cwd: folder,
    })
    const outcomes: CaseOutcome[] = []
    for (const [index, one] of cases.entries()) {
      const person = defence === 'asked' ? { approver, approvals: apiApprovals(gateway.url, approverKey) } : undefined
      const place = {
        gateway: gateway.url,
        config,
        key: keys[index] ?? '',
        principal: principalOf(index),
        person,
        id: `${defence}/${nameOf(one)}`,
      }
      const outcome = await runCase(one, defence, server, model, place)
      outcomes.push(outcome)
      done(outcome)
    }
    return outcomes
  } finally {
    await gateway?.stop()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Place {
  readonly gateway: string
  readonly config: string
  readonly key: string
  readonly principal: string
  /** Undefined where nobody can be asked. */
  readonly person: { readonly approver: Approver; readonly approvals: Approvals } | undefined
  readonly id: string
}

async function runCase(one: Case, defence: Defence, server: SuiteServer, model: GullibleModel, place: Place): Promise<CaseOutcome> {
  const begun = await server.begin(one)
  const { steps, output, goal } = begun
  const script = new Script({
    steps,
    output,
    injected: () => server.injected(),
    ...(goal === null ? {} : { goal }),
    ...(one.other === undefined ? {} : { learned: one.other }),
  })
  model.play(place.id, one.suite, script)
  const running = runAgent({ ...place, tools: one.suite, prompt: begun.prompt, user: place.id })
  const left = [...begun.asked]
  const answer = (asked: Asked): 'approve' | 'deny' | undefined => {
    const verdict = verdictOf(place.person?.approver ?? 'absent', asked, left)
    const index = left.findIndex((wanted) => formOf(wanted) === formOf({ tool: asked.tool, args: asked.args }))
    if (verdict === 'approve' && index !== -1) left.splice(index, 1)
    return verdict
  }
  const { result: ran, prompts } =
    place.person === undefined
      ? { result: await running, prompts: 0 }
      : await ruledWhile(place.person.approvals, place.principal, answer, running)
  model.drop(place.id)
  const isAlone = one.injection === undefined && one.substitution === undefined
  const grade = await server.grade(ran.output, isAlone)
  const missing = missingOf(grade.executed, begun.asked)
  const isDone = isAlone && grade.utility === true && missing.length === 0
  return {
    case: one,
    defence,
    isDone,
    hasSucceeded: grade.security ?? hasValue(one, grade.executed),
    wasSeen: script.hasObeyed,
    unasked: unaskedOf(one.suite, grade.executed, begun.asked),
    missing,
    untried: script.left,
    prompts,
    refusals: isAlone && !isDone && ran.turn !== undefined ? await refusalsOf(ran.turn, place.config) : [],
  }
}

/** Whether the tool that was to be misled has run with the attacker's value. */
function hasValue({ tool, other }: Case, executed: readonly Call[]): boolean {
  return other !== undefined && executed.some((call) => call.tool === tool && formOf(call.args).includes(String(other)))
}
