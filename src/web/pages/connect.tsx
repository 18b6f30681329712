// Connect: where players and browsers find Larder.
import { ConnectPage } from '../../../views/pages/connect.tsx';
import { renderPage } from '../../../views/render.ts';
import { qrCodeOf } from '../qr-code.ts';
import type { Routes } from '../routes.ts';
import type { WebServices } from '../services.ts';

export function addConnectPages(
  routes: Routes,
  {
    findAddresses,
    settings,
    sources,
    certificate,
  }: Pick<WebServices, 'findAddresses' | 'settings' | 'sources' | 'certificate'>,
): void {
  routes.get('/connect', 'viewer', async (context) => {
    const { page } = context.var;
    const addresses = findAddresses(page.serverAddress).map((address) => ({
      ...address,
      qr: qrCodeOf(`${address.url}/`),
    }));
    return context.html(
      renderPage(
        <ConnectPage
          page={page}
          addresses={addresses}
          playlist={null}
          sourceNames={(await sources.list()).map(({ name }) => name)}
          streamAccess={settings.current.streamAccess}
          certificate={certificate()}
        />,
      ),
    );
  });
}
