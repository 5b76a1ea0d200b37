/** Reads a file of policy tests. Everything that is wrong with it is told at its line, as for a configuration. */
import { dirname, resolve } from 'node:path'
import {
  type PolicyTestCall,
  type PolicyTestRead,
  type PolicyTestStep,
  policyTestsSchema,
  policyTestStepSchemas,
  type PolicyTestWho,
} from '@turnward/contract/policy-tests'
import { nodeAt, plainValue, spotOf, type ConfigPath, type MapNode } from '../../../config/locate.ts'
import { ConfigError, ProblemList, type ReportAt } from '../../../config/problems.ts'
import { maxFileBytes, parseSource, readText } from '../../../config/read-file.ts'
import { reportIssues } from '../../../config/schema-problems.ts'

export interface PolicyTest {
  /** Absolute path of its file. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly name: string
  readonly who: PolicyTestWho
  readonly steps: readonly { readonly line: number; readonly step: PolicyTestStep }[]
}

/** Throws ConfigError with every problem of the file. */
export async function readPolicyTests(path: string): Promise<readonly PolicyTest[]> {
  const file = resolve(path)
  const problems = new ProblemList()
  const tests = await testsIn(file, problems)
  if (problems.size > 0) throw new ConfigError(problems.sorted(), dirname(file))
  return tests
}

async function testsIn(file: string, problems: ProblemList): Promise<readonly PolicyTest[]> {
  let text: string
  try {
    text = await readText(file, maxFileBytes)
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be read'
    problems.addRaw({ code: 'config.invalid', file, line: 1, column: 1, path: '', message })
    return []
  }
  const root = parseSource(file, text, problems)
  if (root === undefined) return []
  const report: ReportAt = (path, message, options = {}) =>
    problems.add(spotOf(root, path, options.where ?? 'value'), path, message, options)
  const read = policyTestsSchema.safeParse(plainValue(root))
  if (!read.success) {
    reportIssues(read.error.issues, root, plainValue(root), report)
    return []
  }
  return read.data.cases.map(({ name, who, steps }, index): PolicyTest => {
    const at: ConfigPath = ['cases', index]
    const kept = steps.flatMap((step, position) => {
      const path = [...at, 'steps', position]
      const known = readStep(step, path, root, report)
      return known === undefined ? [] : [{ line: lineOf(root, path), step: known }]
    })
    if (kept.length === steps.length && !kept.some(({ step }) => 'call' in step || ('read' in step && step.carries !== undefined)))
      report([...at, 'steps'], 'no step expects anything, so the case could not fail')
    return { file, line: lineOf(root, at), name, who, steps: kept }
  })
}

const kinds = ['call', 'read', 'says', 'instructs'] as const

function readStep(step: Readonly<Record<string, unknown>>, path: ConfigPath, root: MapNode, report: ReportAt): PolicyTestStep | undefined {
  const named = kinds.filter((kind) => Object.hasOwn(step, kind))
  const [kind] = named
  if (kind === undefined || named.length > 1) {
    report(path, `a step is one of ${kinds.map((one) => `\`${one}\``).join(', ')}`)
    return undefined
  }
  const read = policyTestStepSchemas[kind].safeParse(step)
  if (read.success) return read.data as PolicyTestCall | PolicyTestRead | PolicyTestStep
  reportIssues(
    read.error.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] })),
    root,
    plainValue(root),
    report,
  )
  return undefined
}

function lineOf(root: MapNode, path: ConfigPath): number {
  const node = nodeAt(root, path)
  return node === undefined ? 1 : node.spot.file.lines.linePos(node.spot.offset).line
}
