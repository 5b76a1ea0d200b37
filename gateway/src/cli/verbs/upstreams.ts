/** `turnward upstreams`: where models are asked, and whether that works. No gateway need run. */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import type { Snapshot, Upstream } from '../../config/snapshot.ts'
import { systemClock } from '../../core/clock.ts'
import { noCredential, type Credential } from '../../core/credential.ts'
import { TurnwardError } from '../../core/error.ts'
import { giveCredential } from '../../identity/credentials.ts'
import { closest } from '../../core/closest-name.ts'
import { testList, testModel, type UpstreamTest } from '../../models/testing-upstream.ts'
import { Upstreams } from '../../models/upstreams.ts'
import { providers } from '../../providers/providers.ts'
import { printable } from '../../audit/format-tree.ts'
import type { ShownUpstream } from '../../models/balancing/showing-health.ts'
import { type ApiOptions, askApi } from '../api-client.ts'
import { exitCodes } from '../exit-codes.ts'
import { fail, print, table } from '../output.ts'
import { administratorKeyOption, configOption, jsonOption, urlOption } from '../shared-options.ts'

interface ListOptions {
  readonly config: string
  readonly json?: boolean
}

interface TestOptions extends ListOptions {
  readonly model?: string
  readonly credential?: string
}

interface StatusOptions extends ApiOptions {
  readonly json?: boolean
}

export function addUpstreams(program: Command): void {
  const upstreams = program.command('upstreams').description('where models are asked')
  upstreams
    .command('list')
    .description('list the upstreams of the configuration: kind, address, dialects')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward upstreams list')
    .action(list)
  upstreams
    .command('test')
    .argument('<name>', 'an upstream of the configuration')
    .description('ask it as a call would, and tell network, key, model and quota apart')
    .option('--model <name>', 'ask this model one small question (a few tokens); default: only the list of models, where there is one')
    .option('--credential <id>', 'use this credential instead of that of the upstream')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ turnward upstreams test groq --model llama-3.3-70b-versatile')
    .action(test)
  upstreams
    .command('status')
    .description('how the upstreams of a running gateway are: which are passed over and why, calls under way, how soon answers begin')
    .addOption(urlOption())
    .addOption(administratorKeyOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample:\n  $ TURNWARD_KEY=tw_… turnward upstreams status')
    .action(status)
}

async function status(options: StatusOptions): Promise<void> {
  try {
    const answer = await askApi(options, '/api/upstreams')
    print(options, answer, statusText((answer as unknown as { readonly upstreams: readonly ShownUpstream[] }).upstreams))
  } catch (error) {
    fail(options, error)
  }
}

function statusText(upstreams: readonly ShownUpstream[]): string {
  const rows = upstreams.map(({ upstream, state, running, latencies }) => {
    const slowest = (kind: 'streamed' | 'whole'): string => {
      const known = latencies.flatMap((one) => one[kind] ?? [])
      return known.length === 0 ? '-' : `${Math.max(...known)} ms`
    }
    return [upstream, state.replace('_', ' '), String(running), slowest('streamed'), slowest('whole')]
  })
  const troubles = upstreams.flatMap(({ upstream, troubles: all }) =>
    all.map(
      ({ kind, model, why, until }) => `${upstream}${model === undefined ? '' : `, ${printable(model)}`}: ${kind}, ${why}; until ${until}`,
    ),
  )
  return [table([['UPSTREAM', 'STATE', 'RUNNING', 'FIRST BYTE', 'WHOLE ANSWER'], ...rows]), ...troubles].join('\n')
}

async function list(options: ListOptions): Promise<void> {
  try {
    const { upstreams } = await loadConfig(options.config, process.env)
    const rows = [...upstreams.values()].map(({ name, config }) => ({
      name,
      kind: config.kind,
      address: 'base_url' in config ? config.base_url : null,
      dialects: Object.keys(providers[config.kind].dialects),
      credential: config.credential ?? null,
    }))
    const cells = rows.map(({ name, kind, address, dialects }) => [name, kind, address ?? 'in this process', dialects.join(', ')])
    print(options, { upstreams: rows }, table([['NAME', 'KIND', 'ADDRESS', 'DIALECTS'], ...cells]))
  } catch (error) {
    fail(options, error)
  }
}

async function test(name: string, options: TestOptions): Promise<void> {
  const upstreams = new Upstreams()
  try {
    const snapshot = await loadConfig(options.config, process.env)
    const upstream = upstreamOf(snapshot, name)
    const credential = await credentialOf(snapshot, upstream, options.credential)
    const services = { upstreams, clock: systemClock }
    const tests: UpstreamTest[] = []
    const listed = await testList(services, upstream, credential)
    if (listed !== undefined) tests.push(listed)
    // What the list says of network and key need not be paid for.
    if (options.model !== undefined && (listed === undefined || !['network', 'key'].includes(listed.verdict)))
      tests.push(await testModel(services, upstream, credential, options.model))
    if (tests.length === 0)
      throw new TurnwardError('request.invalid', {
        subject: name,
        why: 'it has no list of models to ask for',
        fix: 'Name a model to ask: `--model <name>`.',
      })
    // A model that answers needs no list.
    const deciding = tests.at(-1) as UpstreamTest
    print(options, { upstream: name, ok: deciding.verdict === 'ok', tests }, tests.map(lineOf).join('\n'))
    if (deciding.verdict === 'network') process.exitCode = exitCodes.unreachable
    else if (deciding.verdict !== 'ok') process.exitCode = exitCodes.negative
  } catch (error) {
    fail(options, error)
  } finally {
    await upstreams.close()
  }
}

function upstreamOf({ upstreams }: Snapshot, name: string): Upstream {
  const found = upstreams.get(name)
  if (found !== undefined) return found
  const near = closest(name, [...upstreams.keys()])
  throw new TurnwardError('request.invalid', {
    subject: name,
    why: 'the configuration has no upstream of this name',
    fix: near === undefined ? 'See `turnward upstreams list`.' : `Did you mean \`${near}\`?`,
  })
}

async function credentialOf(snapshot: Snapshot, { name, config }: Upstream, named: string | undefined): Promise<Credential> {
  const id = named ?? config.credential
  if (id === 'none') return noCredential
  const found = id === undefined ? undefined : snapshot.credentials.get(id)
  if (found !== undefined) return (await giveCredential(found, name, systemClock.now())).credential
  throw new TurnwardError('upstream.credential', {
    subject: id ?? 'none',
    why: id === undefined ? 'the upstream has none of its own' : 'the configuration has no credential of this name',
    fix: 'Name one: `--credential <id>`.',
  })
}

const advice: Readonly<Record<UpstreamTest['verdict'], string>> = {
  ok: '',
  network: 'Check `base_url`, the name server, proxies and certificates between here and there.',
  key: 'Check the credential, and what it is allowed to do.',
  model: 'Check the name: `turnward upstreams test` without `--model` asks for the list.',
  quota: 'Add credit, raise the limit, or wait.',
  vendor: 'Try again later, or route to another upstream.',
  address: 'Check that `base_url` is that of an API, with its version, and `kind` that of its vendor.',
}

function lineOf({ verdict, model, detail, milliseconds }: UpstreamTest): string {
  const asked = model === undefined ? 'list of models' : `model ${model}`
  return `${verdict === 'ok' ? 'ok' : `PROBLEM (${verdict})`}  ${asked}: ${detail} (${milliseconds} ms)${verdict === 'ok' ? '' : `\n    ${advice[verdict]}`}`
}
