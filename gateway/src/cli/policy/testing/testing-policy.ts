/** `turnward policy test`: conversations that are written down, and whether the configuration decides them as it should. */
import { access } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { printable } from '../../../audit/format-tree.ts'
import { loadConfig } from '../../../config/load.ts'
import { TurnwardError } from '../../../core/error.ts'
import { exitCodes } from '../../exit-codes.ts'
import { fail, print } from '../../output.ts'
import { type FailedStep, runPolicyTest, type TestResult } from './running-tests.ts'
import { type PolicyTest, readPolicyTests } from './reading-tests.ts'

export interface TestOptions {
  readonly config: string
  readonly json?: boolean
}

/** Beside the configuration, when no file is named. */
const usualFile = 'policy-tests.yaml'

export async function testPolicy(files: readonly string[], options: TestOptions): Promise<void> {
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const tests: PolicyTest[] = []
    for (const file of files.length > 0 ? files : [await usualFileOf(options.config)]) tests.push(...(await readPolicyTests(file)))
    const results = tests.map((test) => runPolicyTest(snapshot, test))
    const failed = results.filter(({ ok }) => !ok).length
    const report = { ok: failed === 0, revision: snapshot.revision, cases: results.length, failed, results }
    print(options, report, reportText(results))
    if (failed > 0) process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  }
}

async function usualFileOf(config: string): Promise<string> {
  const path = join(dirname(config), usualFile)
  try {
    await access(path)
  } catch {
    throw new TurnwardError('request.invalid', {
      subject: 'files',
      why: `no file is named, and there is no ${usualFile} beside the configuration`,
      fix: 'Name the files of your policy tests.',
    })
  }
  return path
}

function reportText(results: readonly TestResult[]): string {
  const lines = results.flatMap((result) => [
    `${result.ok ? 'ok      ' : 'NOT OK  '}${place(result)}  ${printable(result.name)}`,
    ...result.failures.flatMap(failureLines),
    // Only worth a word where it may be the reason.
    ...(result.ok || result.undescribed.length === 0
      ? []
      : [`    no contract describes ${result.undescribed.map((name) => printable(name)).join(', ')}: is the name right?`]),
  ])
  const calls = results.reduce((sum, result) => sum + result.calls, 0)
  const failed = results.filter(({ ok }) => !ok).length
  return [
    ...lines,
    '',
    `${results.length} cases, ${calls} calls: ${failed === 0 ? 'all as expected' : `not as expected: ${failed} of the cases`}`,
  ].join('\n')
}

function failureLines({ line, tool, differences, verdict, label }: FailedStep): readonly string[] {
  const audience = label.audience.length === 0 ? 'anybody' : label.audience.map((clause) => clause.join(' or ')).join(', and ')
  return [
    ...differences.map((difference) => `    line ${line}, ${printable(tool)}: ${printable(difference)}`),
    ...(verdict === undefined ? [] : [`      ${verdict.reason}`, `      decided by ${verdict.rules.join(', ')}`]),
    `      the session is ${label.trust}, for ${printable(audience)}`,
  ]
}

function place({ file, line }: TestResult): string {
  return `${relative(process.cwd(), file)}:${line}`
}
