/** `turnward stop`: stops an agent, somebody, a tool, a server or a session at every gateway on the store, within seconds, also what is under way. */
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { systemClock } from '../../core/clock.ts'
import { type Stop, type StopKind, stopKinds } from '../../store/stops.ts'
import { createStopService, readDuration, type StopService } from '../../turns/stops/stop-service.ts'
import { table } from '../output.ts'
import { onStore } from '../on-store.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface StopOptions {
  readonly config: string
  readonly json?: boolean
  readonly reason?: string
  readonly for?: string
  readonly by?: string
}

const about: Readonly<Record<StopKind, string>> = {
  agent: 'an agent: the actor of its keys or tokens',
  principal: 'a person or workload; they may still administer',
  tool: 'a tool by its name, or tools by a pattern: `mail__*`',
  server: 'everything of an MCP server; `client` for all tools that clients run',
  session: 'one conversation, and what its agents do',
}

export function addStop(program: Command): void {
  const stop = program.command('stop').description('stop an agent, somebody, a tool, a server or a session at once, and lift that again')
  const verb = (name: string, description: string): Command =>
    stop.command(name).description(description).addOption(configOption()).addOption(jsonOption())
  for (const kind of stopKinds) {
    verb(kind, `stop ${about[kind]}`)
      .argument('<name>', kind)
      .option('--reason <text>', 'why, for other administrators')
      .option('--for <time>', 'until it ends by itself: 90s, 30m, 1h, 7d')
      .option('--by <name>', 'who stops it (default: the user of this machine)')
      .addHelpText('after', `\nExample:\n  $ turnward stop ${kind} ${examples[kind]} --reason "it mails strangers" --for 1h`)
      .action((name: string, options: StopOptions) =>
        run(
          options,
          (service) => service.make({ kind, name, reason: options.reason, forMs: timeOf(options) }, byOf(options)),
          ({ id, until }) =>
            `${kind} ${name} is stopped${until === null ? '' : ` until ${new Date(until).toISOString()}`}. Lift it: turnward stop lift ${id}`,
        ),
      )
  }
  verb('list', 'list what is stopped')
    .addHelpText('after', '\nExample:\n  $ turnward stop list')
    .action((options: StopOptions) =>
      run(
        options,
        (service) => service.list(),
        listText,
        (stops) => ({ stops }),
      ),
    )
  verb('lift', 'let it go on')
    .argument('<id>', 'as `turnward stop list` shows it')
    .option('--by <name>', 'who lifts it (default: the user of this machine)')
    .addHelpText('after', '\nExample:\n  $ turnward stop lift stop_…')
    .action((id: string, options: StopOptions) =>
      run(
        options,
        (service) => service.lift(id, byOf(options)),
        ({ kind, name }) => `${kind} ${name} may go on.`,
      ),
    )
}

const examples: Readonly<Record<StopKind, string>> = {
  agent: 'travel-agent',
  principal: 'alice@acme.example',
  tool: "'mail__*'",
  server: 'mail',
  session: 'ses_…',
}

function byOf({ by }: StopOptions): string {
  return by ?? `${userInfo().username} (turnward stop)`
}

function timeOf({ for: time }: StopOptions): number | undefined {
  return time === undefined ? undefined : readDuration(time)
}

function run<R>(
  options: StopOptions,
  work: (service: StopService) => Promise<R>,
  text: (result: R) => string,
  shown?: (result: R) => unknown,
): Promise<void> {
  return onStore(options, (store) => work(createStopService({ store, clock: systemClock })), text, shown)
}

function listText(all: readonly Stop[]): string {
  if (all.length === 0) return 'Nothing is stopped.'
  const rows = all.map(({ id, kind, name, by, made, until, reason }) => [
    id,
    kind,
    name,
    by,
    new Date(made).toISOString(),
    until === null ? 'until lifted' : new Date(until).toISOString(),
    reason ?? '-',
  ])
  return table([['STOP', 'KIND', 'NAME', 'BY', 'SINCE', 'UNTIL', 'REASON'], ...rows])
}
