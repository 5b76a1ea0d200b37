/** What the runner and the command of the client leg share: the gateway, and its configuration with the server of a scenario. */
export interface ClientPlace {
  readonly url: string
  readonly configPath: string
}

/** Where no server is, between two scenarios. */
export const nowhere = 'http://127.0.0.1:9/mcp'

export const clientKey = 'tw_conformance_client_0000000001'

/** The configuration while the suite plays the server at `url`. */
export function clientConfig(url: string): object {
  return {
    listen: { port: 0 },
    principals: { client: {} },
    keys: { client: { principal: 'client', secret: clientKey } },
    grants: [{ principals: ['client'], gateways: ['main'], tools: ['*'] }],
    servers: { suite: { transport: 'http', url } },
    gateways: { main: { servers: ['suite'] } },
    contracts: { '*': { output: { trust: 'trusted' } } },
  }
}
