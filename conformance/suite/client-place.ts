/** What the runner and the command of the client leg share: the gateway, and its configuration with the server of a scenario. */
export interface ClientPlace {
  readonly url: string
  readonly configPath: string
}

export const clientKey = 'tw_conformance_client_0000000001'

/** The configuration while the suite plays the server at `url`; without one between two scenarios. */
export function clientConfig(url: string | undefined): object {
  const servers = url === undefined ? {} : { suite: { transport: 'http', url } }
  return {
    listen: { port: 0 },
    principals: { client: {} },
    keys: { client: { principal: 'client', secret: clientKey } },
    grants: [{ principals: ['client'], gateways: ['main'], tools: ['*'] }],
    servers,
    gateways: { main: { servers: Object.keys(servers) } },
    contracts: { '*': { output: { trust: 'trusted' } } },
  }
}
