/** The pages, in the order of the menu: one line for each. */

export interface MenuPage {
  readonly to:
    | '/start'
    | '/policy'
    | '/turns'
    | '/sessions'
    | '/usage'
    | '/decisions'
    | '/live'
    | '/approvals'
    | '/stops'
    | '/limits'
    | '/servers'
    | '/tools'
    | '/upstreams'
    | '/connect'
    | '/credentials'
    | '/keys'
    | '/people'
    | '/audit'
    | '/health'
    | '/configuration'
  readonly name: string
  /** What somebody finds there, for the command menu. */
  readonly about: string
}

export interface MenuGroup {
  readonly name: string
  readonly pages: readonly MenuPage[]
}

export const menu: readonly MenuGroup[] = [
  {
    name: 'Observe',
    pages: [
      { to: '/start', name: 'Start', about: 'what to do next' },
      { to: '/turns', name: 'Turns', about: 'what agents did, from a message until they were done' },
      { to: '/sessions', name: 'Sessions', about: 'conversations, and what they have read' },
      { to: '/usage', name: 'Usage', about: 'tokens and cost, by person, key, model and more' },
      { to: '/decisions', name: 'Decisions', about: 'what was decided, for whom and why' },
      { to: '/live', name: 'Live', about: 'what is decided, as it happens' },
    ],
  },
  {
    name: 'Govern',
    pages: [
      { to: '/approvals', name: 'Approvals', about: 'calls that wait for a person' },
      { to: '/policy', name: 'Policy', about: 'what is in effect, which tools nobody has described, and trying calls and drafts' },
      { to: '/stops', name: 'Stops', about: 'agents, people, tools, servers and sessions that are stopped' },
      { to: '/limits', name: 'Limits', about: 'limits and budgets, and what is left' },
    ],
  },
  {
    name: 'Resources',
    pages: [
      { to: '/servers', name: 'Servers', about: 'MCP servers and REST APIs, how they are, and your accounts there' },
      { to: '/tools', name: 'Tools', about: 'tools of servers: definitions to review, who describes them, trying one' },
    ],
  },
  {
    name: 'Connect',
    pages: [
      { to: '/connect', name: 'Clients', about: 'lead coding agents and programs here' },
      { to: '/keys', name: 'Keys', about: 'virtual keys: make, renew, revoke' },
      { to: '/credentials', name: 'Credentials', about: 'your own keys of model providers' },
    ],
  },
  {
    name: 'System',
    pages: [
      { to: '/health', name: 'Health', about: 'what the gateway stands on, and what troubles it' },
      { to: '/upstreams', name: 'Upstreams', about: 'model providers and how they are' },
      { to: '/configuration', name: 'Configuration', about: 'objects of the configuration, who changed them, and the way back' },
      { to: '/people', name: 'People', about: 'people and workloads that are known' },
      { to: '/audit', name: 'Audit', about: 'who changed what, and how the log is verified' },
    ],
  },
]
