/** A server that somebody else runs, from a registry document: asked once for its tools, shown, and written. */
import { block } from '../../config/editing-text.ts'
import { TurnwardError } from '../../core/error.ts'
import { exitCodes } from '../exit-codes.ts'
import { print } from '../output.ts'
import { listServers } from '../policy/listed-tools.ts'
import { spelledOut } from '../reviewing/definition-diff.ts'
import { toAddTo, withServer, type AddOptions } from './adding-to.ts'
import { consents, mayChange } from './consent.ts'
import type { PlannedRemote } from './document-plan.ts'
import { tryEdit, writeEdit } from './edited-config.ts'

export async function addRemote(
  server: string,
  entry: PlannedRemote['entry'],
  notes: readonly string[],
  options: AddOptions,
): Promise<void> {
  const { main, snapshot } = await toAddTo(server, options)
  const edit = await tryEdit(main, main, (before) => withServer(before, server, entry, snapshot, options.gateway))
  const lines = `${notes.map((note) => `note:       ${spelledOut(note)}\n`).join('')}\n${block({ servers: { [server]: entry } })}`
  const plan = { server, file: main, entry, notes }
  if (!mayChange(options)) {
    const hint = options.dryRun === true ? '' : ' Add --yes to do it.'
    print(
      options,
      { ...plan, written: false },
      `${lines}\nwould be asked for its tools and written to ${main}. Nothing was changed.${hint}`,
    )
    if (options.dryRun !== true) process.exitCode = exitCodes.negative
    return
  }
  const [listing] = await listServers(edit.snapshot, [server])
  if (listing?.tools === undefined)
    throw new TurnwardError('mcp.server_unavailable', {
      subject: server,
      why: `its tools could not be listed: ${listing?.detail ?? 'it said nothing'}`,
    })
  const tools = listing.tools.map(({ originalName: name, digest }) => ({ name, digest }))
  const shown = `${entry.url}\ntools (${tools.length}): ${tools.map(({ name }) => spelledOut(name)).join(', ')}\n${lines}`
  if (options.json !== true) print(options, plan, shown)
  const written = await consents(options, `Write this to ${main}?`)
  if (written) await writeEdit(edit)
  print(options, { ...plan, tools, written }, written ? `\nWritten to ${main}.` : '\nNothing was changed.')
}
