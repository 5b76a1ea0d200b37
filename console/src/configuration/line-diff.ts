/** What differs between two texts, line by line. Pure. */

export interface DiffLine {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

/** Beyond it the work grows too fast to wait for; the texts then stand one below the other. */
const mostLines = 600

export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const [old, now] = [linesOf(before), linesOf(after)]
  const gone = (lines: readonly string[]): DiffLine[] => lines.map((text) => ({ sign: '-', text }))
  const added = (lines: readonly string[]): DiffLine[] => lines.map((text) => ({ sign: '+', text }))
  if (old.length > mostLines || now.length > mostLines) return [...gone(old), ...added(now)]
  const common = lengths(old, now)
  const lines: DiffLine[] = []
  let [at, to] = [0, 0]
  while (at < old.length && to < now.length) {
    const [was = '', is = ''] = [old[at], now[to]]
    if (was === is) {
      lines.push({ sign: ' ', text: was })
      at += 1
      to += 1
    } else if ((common[at + 1]?.[to] ?? 0) >= (common[at]?.[to + 1] ?? 0)) {
      lines.push({ sign: '-', text: was })
      at += 1
    } else {
      lines.push({ sign: '+', text: is })
      to += 1
    }
  }
  return [...lines, ...gone(old.slice(at)), ...added(now.slice(to))]
}

/** How many lines what comes from a place in both has in common. */
function lengths(old: readonly string[], now: readonly string[]): readonly (readonly number[])[] {
  const table = Array.from({ length: old.length + 1 }, () => Array.from({ length: now.length + 1 }, () => 0))
  for (let at = old.length - 1; at >= 0; at -= 1)
    for (let to = now.length - 1; to >= 0; to -= 1) {
      const [row, below] = [table[at] ?? [], table[at + 1] ?? []]
      row[to] = old[at] === now[to] ? (below[to + 1] ?? 0) + 1 : Math.max(below[to] ?? 0, row[to + 1] ?? 0)
    }
  return table
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.split('\n')
}
