// The plan of a volume while it is in the making: beside it, so that an interrupted run goes on by the same
// one, and all shares of a volume are made by one.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/output_rule.hpp"
#include "run/plan.hpp"

namespace feldspar::run {

class SharedPlan {
 public:
  /// Of the volume at request.output; `id` says for which request and which files. Throws Error(io) where
  /// something else than a plan has its name.
  SharedPlan(const Request& request, std::string id);

  /// What it may write, for check_outputs().
  [[nodiscard]] static std::vector<io::Output> outputs(const std::filesystem::path& volume);

  /// The plan that was left there for this request; none without any.
  [[nodiscard]] std::optional<Plan> read() const;

  /// Leaves `plan` there, in the place of an earlier one. Of shares that offer one at the same time the first
  /// wins: false for the others, which are to read() it. Throws Error(io).
  [[nodiscard]] bool offer(const Plan& plan) const;

  /// Takes it away.
  void forget() const noexcept;
  /// Takes away the one beside the joined `volume` by which its parts were made, one of which is `part`. One
  /// beside parts of another name or folder is not the volume's to take.
  static void forget(const std::filesystem::path& volume, const std::filesystem::path& part) noexcept;

 private:
  std::filesystem::path path_;
  std::string id_;
  bool shared_;  ///< between shares
};

}  // namespace feldspar::run
