// The library as a playlist that players load: by session or token as everything is, or by a signed address, because a
// television can show neither.
import { stream } from 'hono/streaming';
import { type Signer, signerOf } from '../../access/signed-addresses.ts';
import { LarderError } from '../../errors.ts';
import { AVAILABILITIES, EVERYTHING, type ItemFilter } from '../../library/item-filter.ts';
import { SIGNED_ADDRESS_MAX_MS } from '../../limits.ts';
import { may } from '../caller.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

const PATH = '/library.m3u';
const QUERY_MAX = 200;

type Services = Pick<WebServices, 'playlist' | 'access' | 'streamAddresses'>;

export function addPlaylist(routes: Routes, { playlist, access, streamAddresses }: Services): void {
  // Public for the registry: the signature is looked at here.
  routes.get(PATH, 'public', async (context) => {
    const query = new URL(context.req.url).searchParams;
    let by = signerOf(context.var.caller);
    if (!may(context.var.caller, 'viewer')) {
      const signature = await access.signatures.check(PATH, query);
      if (signature.state === 'good') by = signature.signer;
      else {
        const what =
          signature.state === 'expired' ? 'the address of this playlist has expired' : 'this playlist needs a sign-in';
        context.header('WWW-Authenticate', 'Bearer realm="Larder"');
        return context.text(`${what}\ncopy its address anew from the page Connect of Larder\n`, 401);
      }
    }
    const filter = readFilter(query);
    const { playerAddress } = context.var.page;
    const addressOf = (source: string, path: string) => playerAddress + streamAddresses.pathOf(source, path, by);
    context.header('Content-Type', 'audio/x-mpegurl; charset=utf-8');
    context.header('Content-Disposition', 'inline; filename="library.m3u"');
    context.header('Cache-Control', 'no-store');
    // hono runs the handler of GET for HEAD too, and a body that nobody takes would wait for ever.
    if (context.env.incoming.method === 'HEAD') return context.body(null);
    return stream(context, async (out) => {
      for await (const part of playlist.write(filter, addressOf)) {
        if (out.aborted) return;
        await out.write(part);
      }
    });
  });
}

/** Where a player loads the playlist without a sign-in. @param base without a slash at the end */
export function playlistAddress(base: string, by: Signer, { access }: Pick<WebServices, 'access'>): string {
  return base + access.signatures.sign(PATH, by, SIGNED_ADDRESS_MAX_MS);
}

/** As on the page of the library; what is here whole where nothing is said of that. @throws LarderError `invalid` */
function readFilter(query: URLSearchParams): ItemFilter {
  const availability = query.get('availability') ?? 'whole';
  if (availability !== '' && availability !== 'any' && !isAvailability(availability)) {
    throw new LarderError('invalid', `availability: ${JSON.stringify(availability.slice(0, 40))} is not known`, {
      hint: `use one of ${AVAILABILITIES.join(', ')} or any`,
    });
  }
  return {
    ...EVERYTHING,
    query: (query.get('q') ?? '').slice(0, QUERY_MAX),
    source: query.get('source') || null,
    availability: isAvailability(availability) ? availability : null,
    pinned: query.get('pinned') === 'true',
  };
}

function isAvailability(text: string): text is (typeof AVAILABILITIES)[number] {
  return (AVAILABILITIES as readonly string[]).includes(text);
}
