/** Twenty people with a key each, and what each of them may use: members of a configuration. */

/** Worth nothing anywhere else. */
export function keyOf(person: number): string {
  return `tw_bench_person_${String(person).padStart(3, '0')}_0123456789abcdef`
}

/** `tools`: patterns granted to a person. */
export function twentyPeople(servers: readonly string[], tools: (person: number) => readonly string[]): Readonly<Record<string, unknown>> {
  const people = Array.from({ length: 20 }, (_, person) => person)
  return {
    principals: Object.fromEntries(people.map((person) => [`person-${person}`, {}])),
    groups: {},
    keys: Object.fromEntries(people.map((person) => [`key-${person}`, { principal: `person-${person}`, secret: keyOf(person) }])),
    grants: people.map((person) => ({ principals: [`person-${person}`], gateways: ['*'], tools: tools(person) })),
    contracts: { '*': { output: { trust: 'trusted' } } },
    gateways: servers.length === 0 ? {} : { main: { servers } },
  }
}
