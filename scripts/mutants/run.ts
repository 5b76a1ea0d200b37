/**
 * `npm run mutants`: puts one deliberate fault after the other into a copy of the checkout and checks that a test
 * notices. A fault that survives is a promise nobody keeps watch over. Never writes to the working tree.
 */
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { copyCheckout, type CheckoutCopy } from './checkout-copy.ts'
import { listProblems, type Fault } from './fault.ts'
import { findPlace, hasStem, withFault, type FoundPlace } from './finding-place.ts'
import { allFaults } from './list.ts'
import { readTestFiles, testsFor } from './noticing-tests.ts'
import { runTests, stopTests, type TestOptions } from './running-tests.ts'
import { readSources } from './sources.ts'

const help = `Usage: npm run mutants -- [options]

Applies each deliberate fault of scripts/mutants/faults/ to a copy of the checkout, runs the tests it names, and
reports which faults were noticed.

  --only <pattern>   only faults whose name, function or file contains this (several: comma-separated)
  --check            only check that every fault finds its place and its tests; runs no test
  --list             print names, functions and files, run nothing
  --no-baseline      do not run the tests on the unchanged copy first
  --workers <n>      vitest workers (default 2)
  --timeout <s>      longest run of the tests of one fault (default 180)
  --json             one JSON object on standard output, progress on standard error
  --help             this text

Exit code: 0 all noticed, 1 one survived or could not be applied, 2 wrong options.`

/** A fault and where it goes, or why it cannot go anywhere. */
type Plan = { readonly fault: Fault; readonly file: string } & (
  | { readonly place: FoundPlace; readonly tests: readonly string[] }
  | { readonly problem: string }
)

interface Outcome {
  readonly name: string
  readonly file: string
  /** `invalid`: it could not be applied, or its tests fail without it. */
  readonly status: 'killed' | 'survived' | 'invalid'
  /** The test that noticed, or why it is invalid. */
  readonly detail: string
  readonly seconds: number
}

const checkout = join(import.meta.dirname, '../..')
process.exitCode = await main()

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>
  try {
    options = readOptions()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${help}\n`)
    return 2
  }
  if (options.help) {
    process.stdout.write(`${help}\n`)
    return 0
  }
  const plans = planAll(checkout).filter((plan) => options.only.some((part) => isMeant(plan, part)))
  if (plans.length === 0) {
    process.stderr.write(`no fault matches ${options.only.join(', ')}\n`)
    return 2
  }
  if (options.list) {
    for (const { fault, file } of plans) process.stdout.write(`${fault.name}  ${fault.place}  ${file}\n`)
    return 0
  }
  const outcomes = options.check ? plans.map((plan) => checked(plan)) : await tryAll(plans, options)
  const count = (status: Outcome['status']): number => outcomes.filter((outcome) => outcome.status === status).length
  const summary = { killed: count('killed'), survived: count('survived'), invalid: count('invalid') }
  if (options.json) process.stdout.write(`${JSON.stringify({ ...summary, mutants: outcomes }, undefined, 2)}\n`)
  else {
    for (const { name, file, status, detail } of outcomes)
      if (status !== 'killed') process.stdout.write(`${status}: ${name} (${file})${detail === '' ? '' : `\n  ${detail}`}\n`)
    process.stdout.write(
      options.check
        ? `${plans.length - summary.invalid} of ${plans.length} can be applied\n`
        : `${summary.killed} killed, ${summary.survived} survived, ${summary.invalid} invalid\n`,
    )
  }
  return summary.survived + summary.invalid === 0 ? 0 : 1
}

function planAll(root: string): readonly Plan[] {
  const faults = allFaults()
  const problems = listProblems(faults)
  if (problems.length > 0) throw new Error(problems.join('\n'))
  const [sources, testFiles] = [readSources(root), readTestFiles(root)]
  return faults.map((fault): Plan => {
    try {
      const place = findPlace(fault, sources)
      // A fault the parser refuses would be noticed by anything.
      stripTypeScriptTypes(withFault(place, fault))
      return { fault, file: place.source.file, place, tests: testsFor(fault, testFiles) }
    } catch (error) {
      return { fault, file: fault.stem, problem: error instanceof Error ? error.message : String(error) }
    }
  })
}

function isMeant({ fault, file }: Plan, part: string): boolean {
  return [fault.name, fault.place, fault.stem, file].some((text) => text.includes(part))
}

function checked(plan: Plan): Outcome {
  const { fault, file } = plan
  if ('problem' in plan) return { name: fault.name, file, status: 'invalid', detail: plan.problem, seconds: 0 }
  if (!hasStem(file, fault.stem)) say(`${fault.name}: \`${fault.place}\` of ${fault.stem} is in ${file} now`)
  return { name: fault.name, file, status: 'killed', detail: '', seconds: 0 }
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      check: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      'no-baseline': { type: 'boolean', default: false },
      workers: { type: 'string', default: '2' },
      timeout: { type: 'string', default: '180' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [workers, timeout] = [Number(values.workers), Number(values.timeout)]
  if (!Number.isInteger(workers) || workers < 1) throw new Error('--workers must be a whole number')
  if (!(timeout > 0)) throw new Error('--timeout must be a number of seconds')
  return {
    ...values,
    only: values.only.split(',').map((part) => part.trim()),
    baseline: !values['no-baseline'],
    workers,
    timeoutMs: timeout * 1000,
  }
}

type Options = ReturnType<typeof readOptions>

async function tryAll(plans: readonly Plan[], options: Options): Promise<readonly Outcome[]> {
  say(`copying the checkout`)
  const copy = copyCheckout(checkout)
  const leave = (): void => {
    stopTests()
    copy.remove()
    process.exit(130)
  }
  process.once('SIGINT', leave).once('SIGTERM', leave)
  try {
    const outcomes: Outcome[] = []
    const failing = options.baseline ? await failingTests(copy, plans, options) : []
    for (const [index, plan] of plans.entries()) {
      const { name } = plan.fault
      const started = performance.now()
      const { status, detail } = await tryOne(copy, plan, failing, options)
      const seconds = Math.round((performance.now() - started) / 100) / 10
      outcomes.push({ name, file: plan.file, status, detail, seconds })
      const noticed = status === 'killed' && detail !== '' ? `  (${detail})` : ''
      say(`[${index + 1}/${plans.length}] ${status}  ${name}  ${seconds}s${noticed}`)
    }
    return outcomes
  } finally {
    copy.remove()
  }
}

async function tryOne(
  copy: CheckoutCopy,
  plan: Plan,
  failing: readonly string[],
  options: Options,
): Promise<Pick<Outcome, 'status' | 'detail'>> {
  if ('problem' in plan) return { status: 'invalid', detail: plan.problem }
  const { fault, file, place, tests } = plan
  const already = failing.find((failure) => tests.some((test) => failure.includes(test)))
  if (already !== undefined) return { status: 'invalid', detail: `fails without the fault: ${already}` }
  try {
    copy.write(file, withFault(place, fault))
    const run = await runTests(copy.root, tests, testOptions(options, true))
    if (run.failed[0] !== undefined) return { status: 'killed', detail: run.failed[0] }
    if (run.timedOut) return { status: 'killed', detail: 'the tests did not end' }
    if (run.unloadable[0] !== undefined) return { status: 'invalid', detail: `${run.unloadable[0]} cannot be loaded with the fault` }
    if (run.held.length === 0) return { status: 'invalid', detail: `no test ran: ${run.output}` }
    return { status: 'survived', detail: `noticed by none of ${run.held.join(', ')}` }
  } catch (error) {
    return { status: 'invalid', detail: error instanceof Error ? error.message : String(error) }
  } finally {
    copy.write(file, place.source.text)
  }
}

/** Tests that fail on the unchanged copy, as `file > test` or `file`: what they would say of a fault means nothing. */
async function failingTests(copy: CheckoutCopy, plans: readonly Plan[], options: Options): Promise<readonly string[]> {
  const tests = [...new Set(plans.flatMap((plan) => ('tests' in plan ? plan.tests : [])))]
  say(`running ${tests.length} test files without a fault`)
  const run = await runTests(copy.root, tests, { ...testOptions(options, false), timeoutMs: Math.max(options.timeoutMs, 30 * 60_000) })
  if (run.timedOut || run.held.length + run.failed.length + run.unloadable.length === 0)
    throw new Error(`the tests do not run: ${run.output}`)
  const failing = [...run.failed, ...run.unloadable]
  for (const failure of failing) say(`fails without any fault: ${failure}`)
  return failing
}

function testOptions({ workers, timeoutMs }: Options, bail: boolean): TestOptions {
  return { workers, bail, timeoutMs }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
