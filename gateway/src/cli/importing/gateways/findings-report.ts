/** What a person is told of an import of another gateway's configuration. Programs get every finding by itself. */
import { printable } from '../../../audit/format-tree.ts'
import { table } from '../../output.ts'
import type { Finding, Outcome } from './findings.ts'

const headings: Readonly<Record<Outcome, string>> = {
  carried: 'carried over',
  changed: 'carried over, and means something else here',
  not_carried: 'not carried over',
}

/** A person reads no more; `--json` has all of them. */
const mostRows = 200
const longestCell = 500

/** Findings in three parts; neighbours of which the same is to be said are one row. */
export function findingsText(findings: readonly Finding[], notes: readonly string[]): string {
  const parts = (['carried', 'changed', 'not_carried'] as const).flatMap((outcome) => {
    const all = findings.filter((finding) => finding.outcome === outcome)
    if (all.length === 0) return []
    const rows = grouped(all)
    const shown = rows
      .slice(0, mostRows)
      .map(({ line, at, to, why }) => [`  ${line}`, at, [to, why].filter((text) => text !== '').join(': ')])
    const more = rows.length > mostRows ? [`  … and ${rows.length - mostRows} more: \`--json\` has all of them`] : []
    return [[`${headings[outcome]} (${all.length})`, table(shown.map((row) => row.map((text) => cell(text)))), ...more].join('\n')]
  })
  const told = notes.length === 0 ? [] : [['to know', ...notes.map((note) => `  ${cell(note, 1000)}`)].join('\n')]
  return [...parts, ...told].join('\n\n')
}

interface Row {
  readonly line: number
  readonly at: string
  readonly to: string
  readonly why: string
}

function grouped(findings: readonly Finding[]): readonly Row[] {
  const rows: Row[] = []
  for (const { line, at, to, why } of findings) {
    const last = rows.at(-1)
    const told = { to: to.join(', '), why: why.join('; ') }
    const shared = last === undefined || to.length > 0 || last.to !== '' || last.why !== told.why ? undefined : sharedPath(last.at, at)
    if (last === undefined || shared === undefined) rows.push({ line, at, ...told })
    else rows[rows.length - 1] = { ...last, at: shared }
  }
  return rows
}

/** `a.b.*` for two values of one map or list; undefined where they share no more than a section. */
function sharedPath(one: string, other: string): string | undefined {
  const steps = (path: string): readonly string[] => path.replace(/\.\*$/, '').match(/\[[^\]]*\]|\.?[^.[]+/g) ?? []
  const [a, b] = [steps(one), steps(other)]
  let count = 0
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1
  const isBelow = one.endsWith('.*') ? count === a.length : count >= a.length - 1
  return count >= 2 && isBelow ? `${a.slice(0, count).join('')}.*` : undefined
}

function cell(text: string, longest = longestCell): string {
  const plain = printable(text)
  return plain.length > longest ? `${plain.slice(0, longest)}…` : plain
}
