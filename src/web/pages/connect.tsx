// Connect: where players and browsers find Larder.
import { ConnectPage } from '../../../views/pages/connect.tsx';
import { renderPage } from '../../../views/render.ts';
import { signerOf } from '../../access/signed-addresses.ts';
import { qrCodeOf } from '../qr-code.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';
import { playlistAddress } from './playlist.ts';

export function addConnectPages(
  routes: Routes,
  services: Pick<WebServices, 'findAddresses' | 'settings' | 'sources' | 'access' | 'certificate'>,
): void {
  const { findAddresses, settings, sources, certificate } = services;
  routes.get('/connect', 'viewer', async (context) => {
    const { page } = context.var;
    const addresses = findAddresses(page.serverAddress).map((address) => ({
      ...address,
      qr: qrCodeOf(`${address.url}/`),
    }));
    const [first] = addresses;
    const by = signerOf(context.var.caller);
    const playlist = first === undefined || by === null ? null : playlistAddress(first.url, by, services);
    return context.html(
      renderPage(
        <ConnectPage
          page={page}
          addresses={addresses}
          playlist={
            playlist === null ? null : { url: playlist, qr: first?.isForOthers === true ? qrCodeOf(playlist) : null }
          }
          sourceNames={(await sources.list()).map(({ name }) => name)}
          streamAccess={settings.current.streamAccess}
          certificate={certificate()}
        />,
      ),
    );
  });
}
