/** Sections of a configuration file for each kind of store. Not part of the product. */
import { makeDatabase, testPostgres } from '../store/backends.fixture.ts'

const redis = process.env['TURNWARD_TEST_REDIS']

export interface GatewayBackend {
  readonly name: string
  readonly isMissing: boolean
  /** Sections of the file, and what takes everything away again. */
  make(): Promise<{ readonly sections: object; drop(): Promise<void> }>
}

/** Where a whole gateway keeps everything: what is kept is tested on each. */
export const gatewayBackends: readonly GatewayBackend[] = [
  { name: 'sqlite', isMissing: false, make: async () => ({ sections: {}, drop: async () => {} }) },
  {
    name: 'postgres',
    isMissing: testPostgres === undefined || redis === undefined,
    async make() {
      const { place, drop } = await makeDatabase()
      const prefix = `${new URL(place.url).pathname.slice(1)}:`
      return {
        sections: {
          store: { kind: 'postgres', url: place.url, pool: 3 },
          state: { kind: 'valkey', url: redis, prefix },
          cluster: { advertise: 'http://127.0.0.1:1', secret: 'a secret of the cluster that is long enough' },
        },
        drop,
      }
    },
  },
]
