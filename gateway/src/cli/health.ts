/** `/healthz`: the process answers. `/readyz`: it can do governed work now, and if not, why. */
import type { ServerResponse } from 'node:http'
import type { Fleet } from '../tools/catalogue.ts'
import type { Services } from '../turns/services.ts'

export function answerHealth(services: Services, response: ServerResponse): void {
  answer(response, 200, { status: 'ok', revision: services.snapshot().revision })
}

/** Not ready while draining or while the decision log cannot be written. A server that is down does not make the gateway unready: its tools are missing, and said to be. */
export function answerReadiness(services: Services, response: ServerResponse, staleConfig: string | undefined, isDraining: boolean): void {
  const audit = services.log.health()
  const servers = services.fleet.status()
  const ready = audit === undefined && !isDraining
  answer(response, ready ? 200 : 503, {
    status: ready ? 'ready' : 'not ready',
    revision: services.snapshot().revision,
    ...(isDraining ? { draining: true } : {}),
    ...(audit === undefined ? {} : { audit }),
    // Anybody may ask: the place is enough to find the text in the log.
    ...(staleConfig === undefined ? {} : { config: `refused: ${firstPlace(staleConfig)}` }),
    ...missingOf(servers),
    servers: servers.map(({ server, state, detail, tools, isBounded }) => ({
      server,
      state,
      tools,
      ...(isBounded ? {} : { limits: 'not enforced' }),
      ...(detail === undefined ? {} : { detail }),
    })),
  })
}

/** The servers whose tools cannot be called yet, with why, so that nobody has to know which states mean that. */
function missingOf(servers: ReturnType<Fleet['status']>): { readonly missing?: Readonly<Record<string, string>> } {
  const missing = servers
    .filter(({ state }) => state !== 'ready')
    .map(({ server, state, detail }): [string, string] => [server, detail ?? state])
  return missing.length === 0 ? {} : { missing: Object.fromEntries(missing) }
}

/** `turnward.yaml:12:3` of the first problem. */
function firstPlace(problems: string): string {
  return /^\S+:\d+:\d+/.exec(problems)?.[0] ?? 'see the log'
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body))
}
