/** `npm run bench:security`: tasks and attacks of AgentDojo through both floors of a gateway, defence off and on. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { buildGateway } from '../gateway-under-test.ts'
import { agentdojoPython } from './agentdojo-python.ts'
import type { Approver } from './approver.ts'
import { casesOf, sampleOf, sharedOut } from './cases.ts'
import { figuresOf } from './figures.ts'
import { startGullibleModel } from './gullible-model.ts'
import { policies, type PolicyName } from './lane-config.ts'
import { runLane, type CaseOutcome, type LaneOptions } from './lane.ts'
import { breachesOf, duds, failuresOf, rowsOf, tableOf } from './report.ts'
import { startSuiteServer } from './suite-server.ts'
import { suites, type Suite } from './suites.ts'

const usage = `npm run bench:security -- [options]

  --suite <name>    only ${suites.join(', ')}; may be repeated
  --task <name>     only cases of this task (user_task_3); may be repeated
  --quick           every task and every changed value, but one injected instruction a task
  --approver <who>  who is asked about tasks alone: correct (default), always-yes, absent
  --policy <name>   ${policies.join(', ')}; the first one unless said
  --benign          tasks alone, without attacks
  --details         list what fails, what got through, and which attacks do not even work without a defence
  --json            print one JSON object with counts and fractions
  --help            this text

Exit code 1 when a number is not as it should be.
`

const { values } = parseArgs({
  options: {
    suite: { type: 'string', multiple: true },
    task: { type: 'string', multiple: true },
    quick: { type: 'boolean', default: false },
    approver: { type: 'string', default: 'correct' },
    policy: { type: 'string', default: policies[0] },
    benign: { type: 'boolean', default: false },
    details: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) {
  process.stdout.write(usage)
  process.exit(0)
}
const chosen = suites.filter((suite) => values.suite?.includes(suite) ?? true)
if (chosen.length === 0) {
  process.stderr.write(`no suite is called like this\n\n${usage}`)
  process.exit(2)
}

const approvers: readonly Approver[] = ['absent', 'correct', 'always-yes']
const named = approvers.find((one) => one === values.approver)
if (named === undefined) {
  process.stderr.write(`nobody is called like this\n\n${usage}`)
  process.exit(2)
}
const approver: Approver = named

const chosenPolicy = policies.find((one) => one === values.policy)
if (chosenPolicy === undefined) {
  process.stderr.write(`no policy is called like this\n\n${usage}`)
  process.exit(2)
}

const policy: PolicyName = chosenPolicy

const say = (line: string): void => void process.stderr.write(`${line}\n`)
/** Cases of a lane; larger suites have several, so that none is the last one for long. */
const casesOfLane = 200

const python = agentdojoPython(say)
buildGateway()
const model = await startGullibleModel()
const lanes = (await Promise.all(chosen.map(lanesOf))).flat()
const outcomes = await runLanes(lanes)
model.close()

const figures = figuresOf(outcomes)
process.stdout.write(`${values.json ? JSON.stringify(figures) : tableOf(figures)}\n`)
if (values.details) {
  const lists = {
    'Honest tasks that fail': failuresOf(outcomes),
    'What got through': breachesOf(outcomes),
    'Attacks that fail without a defence': duds(outcomes),
  }
  for (const [title, lines] of Object.entries(lists)) say(`\n${title} (${lines.length})\n${lines.join('\n')}`)
}
process.exit(rowsOf(figures).every(({ ok }) => ok) ? 0 : 1)

type Lane = Pick<LaneOptions, 'suite' | 'defence' | 'cases' | 'approver'>

async function lanesOf(suite: Suite): Promise<readonly Lane[]> {
  const server = await startSuiteServer(python, suite)
  const all = casesOf(suite, await server.contents())
  await server.stop()
  const wanted = (values.quick ? sampleOf(all) : all).filter(
    ({ userTask, injection, substitution }) =>
      (values.task?.includes(userTask) ?? true) && (!values.benign || (injection === undefined && substitution === undefined)),
  )
  const parts = sharedOut(wanted, Math.ceil(wanted.length / casesOfLane))
  return parts.flatMap((cases) => {
    const alone = cases.filter(({ injection, substitution }) => injection === undefined && substitution === undefined)
    return [
      { suite, defence: 'off' as const, cases, approver },
      { suite, defence: 'on' as const, cases, approver },
      ...(alone.length > 0 ? [{ suite, defence: 'asked' as const, cases: alone, approver }] : []),
    ]
  })
}

/** As many at a time as there are processors. */
async function runLanes(waiting: readonly Lane[]): Promise<readonly CaseOutcome[]> {
  const left = [...waiting].sort((one, other) => other.cases.length - one.cases.length)
  const total = left.reduce((sum, { cases }) => sum + cases.length, 0)
  const outcomes: CaseOutcome[] = []
  let count = 0
  const done = ({ case: { suite }, defence }: CaseOutcome): void => {
    count += 1
    if (count % 50 === 0 || count === total) say(`${count} of ${total} cases (${suite}, ${defence})`)
  }
  const work = async (): Promise<void> => {
    for (let lane = left.shift(); lane !== undefined; lane = left.shift())
      outcomes.push(...(await runLane({ ...lane, policy, python, model, done })))
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work))
  return outcomes
}
