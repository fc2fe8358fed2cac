export default {
	kit: { version: { name: process.env.IPSO_SITE_VERSION ?? 'entwurf' } }
};
