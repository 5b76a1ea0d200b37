/**
 * `turnward tools review`: shows the definitions of tools that are held because they are new or have changed, and approves
 * exactly what was shown. Works on the store, while gateways run or not; those that run notice within seconds.
 */
import { userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import { systemClock } from '../../core/clock.ts'
import { TurnwardError } from '../../core/error.ts'
import { openStore, type Store } from '../../store/store.ts'
import { exitCodes } from '../exit-codes.ts'
import { noteAct } from '../noting-act.ts'
import { fail, print } from '../output.ts'
import { storePlaceAt } from '../places.ts'
import {
  allOf,
  definitionOf,
  digestOfAll,
  reviewText,
  waitingDefinitions,
  type WaitingDefinition,
} from '../reviewing/waiting-definitions.ts'
import { configOption, jsonOption } from '../shared-options.ts'

interface ReviewOptions {
  readonly config: string
  readonly server?: string
  readonly approve?: readonly string[]
  readonly approveAll?: string
  readonly by?: string
  readonly json?: boolean
}

export function addToolsReview(tools: Command): void {
  tools
    .command('review')
    .description('show tool definitions that are held because they are new or have changed, and approve them')
    .option('--server <name>', 'of this MCP server only')
    .option('--approve <name@digest...>', 'approve these definitions, as they were shown')
    .addOption(new Option('--approve-all <digest>', 'approve everything, as it was shown').conflicts('approve'))
    .option('--by <name>', 'who approves (default: the user of this machine)')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ turnward tools review\n  $ turnward tools review --approve notes__read@3c9d…\n\nExit code 5 when something is to be approved that is not what is held now.',
    )
    .action(review)
}

async function review(options: ReviewOptions): Promise<void> {
  try {
    const store = await openStore(await storePlaceAt(options.config))
    try {
      const waiting = await waitingDefinitions(store, options.server)
      if (options.approve === undefined && options.approveAll === undefined) show(options, waiting)
      else await approve(options, store, waiting)
    } finally {
      await store.close()
    }
  } catch (error) {
    fail(options, error)
  }
}

function show(options: ReviewOptions, held: readonly WaitingDefinition[]): void {
  const server = options.server === undefined ? '' : ` --server ${options.server}`
  print(options, { held, digest: digestOfAll(held) }, reviewText(held, server))
}

async function approve(options: ReviewOptions, store: Store, waiting: readonly WaitingDefinition[]): Promise<void> {
  const chosen = chosenOf(options, waiting)
  const by = options.by ?? `${userInfo().username} (turnward tools review)`
  const approved: WaitingDefinition[] = []
  const gone: string[] = []
  for (const one of chosen) {
    const { name: subject, digest } = one
    await noteAct(store, {
      verb: 'turnward tools review',
      by: options.by,
      act: 'tools.approve',
      subject,
      reason: `Approves the definition ${digest}.`,
    })
    if (await store.pins.approveHeld(one, systemClock.now(), by)) approved.push(one)
    else gone.push(one.name)
  }
  const text = [
    ...approved.map(({ name, digest }) => `Approved ${name} (${digest}).`),
    ...gone.map((name) => `Not approved: ${name} has changed meanwhile. Look at it again: \`turnward tools review\`.`),
  ]
  print(
    options,
    { approved: approved.map(({ name, server, tool, digest }) => ({ name, server, tool, digest, by })), gone },
    text.join('\n'),
  )
  if (gone.length > 0) process.exitCode = exitCodes.negative
}

/** What is to be approved. Nothing is, unless all of it waits as it was shown. */
function chosenOf({ approve: names = [], approveAll }: ReviewOptions, waiting: readonly WaitingDefinition[]): readonly WaitingDefinition[] {
  if (approveAll !== undefined) {
    const all = allOf(waiting, approveAll)
    if (all === undefined) throw notThis('--approve-all')
    return all
  }
  return names.map((name) => {
    const one = definitionOf(waiting, name)
    if (one === undefined) throw notThis(name)
    return one
  })
}

function notThis(subject: string): TurnwardError {
  return new TurnwardError('request.invalid', {
    subject: subject.slice(0, 256),
    why: 'no definition that waits is the one with this digest',
    fix: 'Look at what waits now, `turnward tools review`, and approve what it prints.',
  })
}
