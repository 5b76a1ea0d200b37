/** Tells where some tools of a server remember what is written there and others change it without a word: their label would be lost. */
import type { Config } from '@turnward/contract/config'
import { serverOfName } from '../core/tool-names.ts'
import type { ReportAt } from './problems.ts'

export function checkRemembering({ contracts }: Pick<Config, 'contracts'>, report: ReportAt): void {
  const remembering = new Map<string, string>()
  for (const [pattern, { remembers }] of Object.entries(contracts)) {
    const server = serverOfName(pattern)
    if (server !== undefined && remembers !== undefined) remembering.set(server, pattern)
  }
  for (const [pattern, { remembers, effects }] of Object.entries(contracts)) {
    const other = remembering.get(serverOfName(pattern) ?? '')
    if (remembers === undefined && other !== undefined && effects.includes('mutation'))
      report(
        ['contracts', pattern],
        `it changes something, and what it writes is read back without its label: say what it \`remembers\`, as \`${other}\` does`,
        { where: 'key', isNotice: true },
      )
  }
}
