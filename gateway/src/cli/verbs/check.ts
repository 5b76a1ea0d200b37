/** `turnward check`: says whether a configuration would be taken, and everything that is wrong with it. */
import { dirname } from 'node:path'
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { formatProblem } from '../../config/problems.ts'
import type { McpServer, Snapshot } from '../../config/snapshot.ts'
import { installAgain, whyNotAsInstalled } from '../../tools/installed/installed-tree.ts'
import { findIssuers } from '../doctor/issuer-checks.ts'
import { misplacedTrust } from '../../policy/misplaced-trust/misplaced-trust.ts'
import { systemClock } from '../../core/clock.ts'
import { Prices } from '../../models/prices/prices.ts'
import { noopTelemetry } from '../../telemetry/noop.ts'
import { type UnpricedBudget, unpricedBudgets } from '../../turns/limiting/unpriced-budgets.ts'
import { fail, print } from '../output.ts'
import { warningLines } from '../policy/check.ts'
import { knownTools } from '../policy/known-tools.ts'
import { configOption, jsonOption } from '../shared-options.ts'

export function addCheck(program: Command): void {
  program
    .command('check')
    .description('check the configuration file')
    .addOption(configOption())
    .addOption(jsonOption())
    .option('--online', 'ask the issuers of tokens for their keys')
    .addHelpText('after', '\nExample:\n  $ turnward check --config turnward.yaml')
    .action(async (options: { config: string; json?: boolean; online?: boolean }) => {
      try {
        const snapshot = await loadConfig(options.config, process.env)
        const counts = {
          upstreams: snapshot.upstreams.size,
          models: snapshot.routes.names.length,
          servers: snapshot.servers.size,
          gateways: snapshot.gateways.size,
          keys: snapshot.keys.size,
          rules: snapshot.policy.rules.length,
        }
        // Which tools a server has is for the server to say; that no contract could be meant for any of them shows here.
        const undescribed = [...snapshot.servers.keys()].filter(
          (server) => !(snapshot.policy.contracts ?? []).some(({ pattern }) => mayMean(pattern, server)),
        )
        const changed = await notAsInstalled(snapshot)
        const warnings = [...changed].map(([server, why]) => `\n${server} will not be started: ${why}. ${installAgain(server)}`)
        const hint =
          undescribed.length === 0
            ? ''
            : `\nno contract describes a tool of ${undescribed.join(', ')}: \`turnward policy suggest\` drafts some`
        // A tag is what somebody else says it is, and may be something else tomorrow.
        const unpinned = [...snapshot.servers.values()].filter(isUnpinned).map(({ name }) => name)
        const pinHint =
          unpinned.length === 0 ? '' : `\nthe image of ${unpinned.join(', ')} is named by a tag: pin its digest (\`name@sha256:…\`)`
        const asked = options.online === true ? await findIssuers(snapshot) : []
        const away = asked.flatMap(({ check, level, detail }) => (level === 'ok' ? [] : [`\n${check}: ${detail}`]))
        const misplaced = misplacedTrust(snapshot.policy, knownTools(snapshot))
        const unpriced = await unpricedBudgets(snapshot, new Prices(systemClock, noopTelemetry))
        const base = dirname(snapshot.files[0] ?? '.')
        const notices = snapshot.notices.map((notice) => `\nnotice: ${formatProblem(notice, base)}`)
        const summary = Object.entries(counts).map(([name, count]) => `${count} ${name}`)
        print(
          options,
          {
            ok: true,
            revision: snapshot.revision,
            files: snapshot.files,
            ...counts,
            notices: snapshot.notices,
            undescribed,
            unpinned,
            changed: Object.fromEntries(changed),
            misplacedTrust: misplaced,
            unpriced,
            ...(options.online === true ? { issuers: asked } : {}),
          },
          `ok: revision ${snapshot.revision}: ${summary.join(', ')}${hint}${pinHint}${[
            ...warningLines(misplaced),
            ...unpricedLines(unpriced),
          ]
            .map((line) => `\n${line}`)
            .join('')}${warnings.join('')}${notices.join('')}${away.join('')}`,
        )
      } catch (error) {
        fail(options, error)
      }
    })
}

const mostNamed = 5

/** One line for each budget. */
function unpricedLines(unpriced: readonly UnpricedBudget[]): readonly string[] {
  return [...new Set(unpriced.map(({ limit }) => limit))].map((limit) => {
    const own = unpriced.filter((one) => one.limit === limit)
    const named = own.slice(0, mostNamed).map(({ model, upstream }) => `${model} at ${upstream}`)
    const more = own.length > mostNamed ? ` and ${own.length - mostNamed} more` : ''
    const what = own[0]?.isRefused === true ? 'their calls are refused' : 'what they cost is not counted'
    return `warning: the budget ${limit} holds for models without a known price (${named.join(', ')}${more}): ${what}. Say the price in \`prices\``
  })
}

function isUnpinned({ config }: McpServer): boolean {
  if (config.transport !== 'stdio') return false
  const { image } = config.docker ?? config.kubernetes ?? {}
  return image?.includes('@sha256:') === false
}

/** The installed servers whose files are not those that were installed, with why. */
async function notAsInstalled({ servers }: Snapshot): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const server of servers.values()) {
    const why = await whyNotAsInstalled(server)
    if (why !== undefined) found.set(server.name, why)
  }
  return found
}

/** Whether a contract pattern can match a name that begins with `server__`. */
function mayMean(pattern: string, server: string): boolean {
  const prefix = `${server}__`
  const [head = '', ...rest] = pattern.split('*')
  return rest.length === 0 ? pattern.startsWith(prefix) : head.startsWith(prefix) || prefix.startsWith(head)
}
