// SPDX-License-Identifier: Apache-2.0
// Names of images, as Docker's and skopeo's users write them.
#pragma once

#include <berth/base/result.hpp>

#include <string>
#include <string_view>

namespace berth::cli {

/// `[registry/]repository[:tag][@digest]`, where "ubuntu" means docker.io/library/ubuntu:latest; or one of skopeo's other
/// transports and what stands behind its colon, which is skopeo's to read: oci:DIR:TAG, docker-archive:FILE.
struct image_reference {
  std::string transport = "docker";
  std::string place;  ///< of another transport than docker; the rest is empty then
  std::string registry, repository, tag, digest;

  /// "docker.io/library/ubuntu:22.04", "oci:DIR:TAG"; a digest wins over a tag, as for Docker.
  std::string to_string() const;
};

/// Errors: invalid.
result<image_reference> parse_image_reference(std::string_view text);

/// What skopeo is asked for.
struct skopeo_source {
  std::string name;  ///< "docker://docker.io/library/ubuntu:22.04"
  bool tls = true;   ///< false: the registry is asked without TLS
};

/// `mirror` is asked in place of docker.io: "host:port", or "http://host:port" without TLS; empty for none.
/// Errors: invalid, of credentials in it.
result<skopeo_source> find_source(const image_reference& image, std::string_view mirror);

}  // namespace berth::cli
