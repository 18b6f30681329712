// What tests use of stremio-addon-sdk, whose package on npm has no types (they are in its repository, src/*.d.ts).
declare module 'stremio-addon-sdk' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  export interface AddonRequest {
    readonly type: string;
    readonly id: string;
    readonly extra: Readonly<Record<string, string>>;
    /** What stands before the resource in the path, where it is JSON. */
    readonly config: unknown;
  }
  type Handler = (request: AddonRequest) => Promise<Readonly<Record<string, unknown>>>;
  interface AddonInterface {
    readonly manifest: Readonly<Record<string, unknown>>;
  }
  export class addonBuilder {
    constructor(manifest: Readonly<Record<string, unknown>>);
    defineCatalogHandler(handler: Handler): this;
    defineMetaHandler(handler: Handler): this;
    defineStreamHandler(handler: Handler): this;
    defineSubtitlesHandler(handler: Handler): this;
    getInterface(): AddonInterface;
  }
  export function getRouter(
    addon: AddonInterface,
  ): (request: IncomingMessage, response: ServerResponse, next: () => void) => void;
}
